// Route answers: what the control socket says of the domains whose mail goes over XMPP, and how one
// is taken out.
//
// On the event loop. Nothing here asks another domain; what is forgotten is found anew by its next
// mail.
//
// Tested by tests/e2e/test_own_domains.py.
#pragma once

#include "app/daemon/daemon.hpp"

#include <boost/json.hpp>

namespace app {

/// "routes": at most limits::kListed; "cut" if there are more.
boost::json::object answer_routes(const Daemon& daemon);
/// `text`: a domain. Refused if nothing is known of it.
base::Task<boost::json::object> answer_forget_route(Daemon& daemon, std::string text);

}  // namespace app
