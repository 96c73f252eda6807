// Sender answers: what the control socket says of who has sent how much, and how a sender is
// forgotten.
//
// On the event loop.
//
// Tested by tests/e2e/test_senders.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <boost/json.hpp>

namespace app {

/// "senders": those of the last hour, and those beyond their limits, at most 1000; "complaints": of
/// whom domains complain; "cut" if there are more.
base::Task<boost::json::object> answer_senders(Daemon& daemon);
/// `name`: a login, an address, or `@DOMAIN`. Refused if it has sent nothing.
boost::json::object answer_forget_sender(Daemon& daemon, const std::string& name);

}  // namespace app
