// The other end of the control socket: one request, one answer, in the subcommand's own process.
//
// Tested by tests/unit/app/control_client_test.cpp and tests/e2e/test_commands.py.
#pragma once

#include "base/result.hpp"

#include <filesystem>

#include <boost/json.hpp>

namespace app {

/// Sends `request`, and returns the answer if it says "ok". If not, the daemon's words with
/// Errc::syntax if a value that was sent can't be understood, with Errc::refused if it can't be
/// done. Errc::io if nobody answers on `socket`. Blocks, for limits::kControlTime at most.
base::Result<boost::json::object> ask_daemon(const std::filesystem::path& socket,
                                             const boost::json::object& request);

/// What an answer says that does not say "ok".
base::Error refusal_in(const boost::json::object& answer);

/// The exit status for a command line that can't be understood, or a value in it.
inline constexpr int kNotUnderstood = 2;

/// Says on standard error what went wrong. Returns the exit status that goes with it:
/// kNotUnderstood for Errc::syntax, else 1.
int complain(const base::Error& error);

}  // namespace app
