// What the control socket answers to `packetboat off` and `on`.
//
// On the event loop.
//
// Tested by tests/e2e/test_off.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <string>

#include <boost/json.hpp>

namespace app {

/// `until`: as read_until() takes it. Answers with the status, and whether mail waits for XMPP in
/// any case ("some_required").
base::Task<boost::json::object> answer_off(Daemon& daemon, std::string until);
base::Task<boost::json::object> answer_on(Daemon& daemon);

}  // namespace app
