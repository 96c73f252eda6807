// postfix_ways: do Postfix and Packetboat pass mail to each other, both ways?
//
// Pure: compares Packetboat's configuration with Postfix's. What it finds are the mistakes by which
// all seems well, and no mail goes over XMPP, or mail goes round.
//
// Tested by tests/unit/app/check/postfix_ways_test.cpp.
#pragma once

#include "app/config/config.hpp"
#include "app/servers/postfix_config.hpp"

#include <string>
#include <vector>

namespace app {

/// One line each, with its mend. `table_types`: what `postconf -m` says.
std::vector<std::string> faults_of_ways(const Config& config, const PostfixConfig& postfix,
                                        const std::vector<std::string>& table_types);

}  // namespace app
