// What the control socket answers: each request as a function from the daemon to JSON.
//
// Tested by tests/e2e/test_control_socket.py.
#pragma once

#include "app/daemon/daemon.hpp"
#include "queue/ledger/questions.hpp"

#include <boost/json.hpp>

namespace app {

/// Components, how much waits, whether it is off, and whether the clock is believed.
base::Task<boost::json::object> answer_status(Daemon& daemon);
/// `asked`: a selection (selection_json.hpp), "limit", and "after", a place: a page of the list. If
/// there may be more, it has "after", with which to ask for the next one.
base::Task<boost::json::object> answer_queue_list(Daemon& daemon, boost::json::object asked);
/// `asked`: "verb" (queue::Verb), a selection, and "all" if that is to be everything.
base::Task<boost::json::object> answer_operate(Daemon& daemon, boost::json::object asked);
/// Every invariant of the queue, as far as it is broken.
base::Task<boost::json::object> answer_verify(Daemon& daemon);
/// Writes a backup to `file`, an absolute path.
base::Task<boost::json::object> answer_backup(Daemon& daemon, std::string file);
/// `name`: as queue::trace takes it.
base::Task<boost::json::object> answer_trace(Daemon& daemon, std::string name);
/// `component`: one of ours; empty: all of them. Answers with the status.
base::Task<boost::json::object> answer_retire(Daemon& daemon, std::string component, bool retired);
/// What discovery finds for a mail domain; of ours, what other domains find.
base::Task<boost::json::object> answer_look_up(Daemon& daemon, std::string domain);

/// Objects with "id" (empty if it is about no message) and "text".
boost::json::array to_json(const std::vector<queue::Finding>& findings);

/// `{"ok": false, "error": what}`: it can't be done.
boost::json::object refusal(std::string_view what);
/// The same with `"not_understood": true`: a value of the request means nothing, so that it was
/// mistyped.
boost::json::object not_understood(std::string_view what);

}  // namespace app
