// setup: `packetboat setup`: attaches Packetboat to the XMPP server and the Postfix of this
// machine, and takes that back.
//
// First all questions, and then all writing: our configuration, Postfix's way in, the XMPP
// server's; then we are started, and last comes the way out, which needs our table. What does not
// start again with what was written gets back what it had.
//
// Tested by tests/package/test_setup.py.
#pragma once

#include "app/setup/survey.hpp"

#include <filesystem>

namespace app {

inline constexpr const char* kSetupRecord = "/var/lib/packetboat-setup";
// What the record remembers beside files.
inline constexpr const char* kEnabled = "enabled";        ///< the unit was not, before
inline constexpr const char* kRetired = "retired";        ///< an undo has begun
inline constexpr const char* kDrained = "drained";        ///< and no mail was left
inline constexpr const char* kReload = "reload-postfix";  ///< by an undo, not done yet
inline constexpr const char* kRestart = "restart-xmpp";   ///< likewise

/// Errc::refused if it is not root who asks.
base::Result<void> check_caller();

/// The exit status. It ends with a `check`.
int setup(const SetupOptions& options);

/// Takes back what setup has written, once no mail waits.
int undo_setup(const SetupOptions& options);

}  // namespace app
