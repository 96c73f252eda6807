// What the control socket answers to `packetboat promise ours`.
//
// On the event loop.
//
// Tested by tests/e2e/test_promising.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <boost/json.hpp>

namespace app {

/// "promises": "component", "domains", "until", "announced", "told" (how many peers have read it),
/// and of these at most limits::kListed as "peers".
boost::json::object answer_own_promises(const Daemon& daemon);

}  // namespace app
