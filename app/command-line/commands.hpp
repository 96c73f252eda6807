// Commands: the subcommands that talk to the running daemon. They print, and return the exit
// status: 0 all is well, 1 something is wrong (said on standard error, or marked BAD).
//
// Tested by tests/e2e/test_commands.py.
#pragma once

#include "app/config/config.hpp"

#include <string>
#include <vector>

namespace app {

/// Takes a component of ours (empty: all) out of service, or back into it, and says what still
/// waits.
int retire(const Config& config, const std::string& component, bool retired);
/// The domains whose mail goes over XMPP.
int routes_list(const Config& config, bool json);
/// Takes one of them out, until it is found anew.
int routes_forget(const Config& config, const std::string& domain);
/// Who has sent how much in the last hour.
int senders_list(const Config& config, bool json);
/// As if one had sent nothing.
int senders_forget(const Config& config, const std::string& name);
int trace(const Config& config, const std::string& name, bool json);

}  // namespace app
