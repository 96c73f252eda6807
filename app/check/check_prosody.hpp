// check_prosody: what `packetboat check` finds in this machine's Prosody: is it as fast as its
// users think, as strict as we say that it is, and silent while we are down?
//
// Looks at Prosody's configuration only where one of our components is in it.
#pragma once

#include "app/check/findings.hpp"
#include "app/config/config.hpp"
#include "app/servers/prosody_config.hpp"

#include <string>
#include <vector>

namespace app {

void check_prosody(Findings& findings, const Config& config);

/// What is wrong with it for this component, with the mend; a line each.
std::vector<std::string> faults_of_prosody(const ProsodyConfig& prosody,
                                           const component::ComponentSettings& component);

}  // namespace app
