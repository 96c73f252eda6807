// check_ejabberd: what `packetboat check` finds in this machine's ejabberd: can another component
// speak for ours? What it wrote in our name, peers would take for authenticated.
//
// Reads /etc/ejabberd/ejabberd.yml. Says nothing where our components are not in it.
//
// Tested by tests/e2e/test_ejabberd.py.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"
#include "app/servers/ejabberd_config.hpp"

#include <string>
#include <vector>

namespace app {

void check_ejabberd(Findings& findings, const Config& config);

/// What is wrong with it for this component, with the mend; a line each. None if the component is
/// not in it.
std::vector<std::string> faults_of_ejabberd(const EjabberdConfig& ejabberd,
                                            const component::ComponentSettings& component);

}  // namespace app
