// The other end of the control socket: one request, one answer, in the subcommand's own process.
//
// Tested by tests/e2e/test_commands.py.
#pragma once

#include "base/result.hpp"

#include <filesystem>

#include <boost/json.hpp>

namespace app {

/// Sends `request`, and returns the answer if it says "ok". Errc::refused with the daemon's words
/// if not; Errc::io if nobody answers on `socket`. Blocks, for limits::kControlTime at most.
base::Result<boost::json::object> ask_daemon(const std::filesystem::path& socket,
                                             const boost::json::object& request);

/// Says on standard error what went wrong; the exit status that goes with it.
int complain(const base::Error& error);

}  // namespace app
