// Peer answers: what the control socket says of the peer book, and what an administrator says of a
// domain in it.
//
// On the event loop; looking is the reader's, and a change is on the disk when it is answered.
//
// Tested by tests/e2e/test_peers.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <boost/json.hpp>

namespace app {

/// As mail is counted.
std::chrono::sys_days today(Daemon& daemon);

/// "peers": a page of the book, behind "after" of what is asked; "after" if there may be more.
base::Task<boost::json::object> answer_peers(Daemon& daemon, boost::json::object asked);
/// "peer": what is known of a domain, with its days. Refused if it is nothing.
base::Task<boost::json::object> answer_peer(Daemon& daemon, std::string text);
/// "class" of what is asked: `trusted`, `limited`, `blocked`; empty: whatever the figures say.
base::Task<boost::json::object> answer_set_peer(Daemon& daemon, boost::json::object asked);
base::Task<boost::json::object> answer_forget_peer(Daemon& daemon, std::string text);

}  // namespace app
