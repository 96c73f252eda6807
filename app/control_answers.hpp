// What the control socket answers: each request as a function from the daemon to JSON.
#pragma once

#include "app/daemon.hpp"

#include <boost/json.hpp>

namespace app {

/// Components, and how much waits.
base::Task<boost::json::object> answer_status(Daemon& daemon);
base::Task<boost::json::object> answer_queue_list(Daemon& daemon);
/// `name`: as queue::trace takes it.
base::Task<boost::json::object> answer_trace(Daemon& daemon, std::string name);
/// What discovery finds for a mail domain.
base::Task<boost::json::object> answer_look_up(Daemon& daemon, std::string domain);

/// `{"ok": false, "error": what}`
boost::json::object refusal(std::string_view what);

}  // namespace app
