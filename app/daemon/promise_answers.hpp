// What the control socket answers about promises, those of peers and ours, as JSON.
//
// Tested by tests/e2e/test_promise.py and tests/e2e/test_promising.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <string>

#include <boost/json.hpp>

namespace app {

boost::json::object answer_promises(Daemon& daemon);
/// Of one domain; refused if it has promised nothing.
boost::json::object answer_promise(Daemon& daemon, const std::string& domain);
boost::json::object answer_forget_promise(Daemon& daemon, const std::string& domain);
/// "promises": "component", "domains", "until", "announced", "told" (how many peers have read it),
/// and of these at most limits::kListed as "peers".
boost::json::object answer_own_promises(const Daemon& daemon);

}  // namespace app
