// What the control socket answers about promises of peers, as JSON.
//
// Tested by tests/e2e/test_promise.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <string>

#include <boost/json.hpp>

namespace app {

boost::json::object answer_promises(Daemon& daemon);
/// Of one domain; refused if it has promised nothing.
boost::json::object answer_promise(Daemon& daemon, const std::string& domain);
boost::json::object answer_forget_promise(Daemon& daemon, const std::string& domain);

}  // namespace app
