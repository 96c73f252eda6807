// check_ejabberd: what `packetboat check` finds in this machine's ejabberd: can another component
// speak for ours? What it wrote in our name, peers would take for authenticated.
//
// Reads /etc/ejabberd/ejabberd.yml. Says nothing where our components are not in it.
#pragma once

#include "app/config.hpp"
#include "app/findings.hpp"

namespace app {

void check_ejabberd(Findings& findings, const Config& config);

}  // namespace app
