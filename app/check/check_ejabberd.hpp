// check_ejabberd: what `packetboat check` finds in this machine's ejabberd: can another component
// speak for ours? What it wrote in our name, peers would take for authenticated.
//
// Reads /etc/ejabberd/ejabberd.yml. Says nothing where our components are not in it.
//
// Tested by tests/e2e/test_ejabberd.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"

namespace app {

void check_ejabberd(Findings& findings, const Config& config);

}  // namespace app
