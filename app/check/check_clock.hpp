// The part of `packetboat check` that looks at the clock: whether the daemon believes it.
#pragma once

#include "app/check/findings.hpp"

#include <boost/json.hpp>

namespace app {

/// `status`: the daemon's. What an older daemon does not say is not looked at.
void check_clock(Findings& findings, const boost::json::object& status);

}  // namespace app
