// check_secret: what `packetboat check` finds in the files that hold a secret.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

/// A finding for each file that holds a secret.
void check_secrets(Findings& findings, const Config& config);

}  // namespace app
