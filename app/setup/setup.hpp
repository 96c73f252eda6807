// setup: `packetboat setup`: attaches Packetboat to the XMPP server and the Postfix of this
// machine, and takes that back.
//
// First all questions, and then all writing: our configuration, the XMPP server's, ours is
// started, and last Postfix's, which needs our table. What does not start again with what was
// written gets back what it had.
//
// Tested by tests/package/test_setup.py.
#pragma once

#include "app/setup/survey.hpp"

#include <filesystem>

namespace app {

inline constexpr const char* kSetupRecord = "/var/lib/packetboat-setup";

/// Whether there is a configuration, and it is root who asks; else what to say.
base::Result<void> check_caller(const SetupOptions& options);

/// The exit status. It ends with a `check`.
int setup(const SetupOptions& options);

/// Takes back what setup has written, once no mail waits.
int undo_setup(const SetupOptions& options);

}  // namespace app
