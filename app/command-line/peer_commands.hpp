// Peer commands: `packetboat peers`. They print, and return the exit status: 0 all is well, 1
// something is wrong (said on standard error).
//
// Tested by tests/e2e/test_peers.py.
#pragma once

#include "app/config/config.hpp"

#include <string>

namespace app {

/// A line for each domain that mail came of.
int peers_list(const Config& config, bool as_json);
/// All that is known of one, and how its class comes about.
int peers_show(const Config& config, const std::string& domain, bool as_json);
/// Gives it a class: `trusted`, `limited`, `blocked`; empty: takes that back.
int peers_set(const Config& config, const std::string& domain, const std::string& peer_class);
int peers_forget(const Config& config, const std::string& domain);

}  // namespace app
