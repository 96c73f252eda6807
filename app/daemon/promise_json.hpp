// What is known of a peer's promise, as JSON.
//
// Tested by tests/e2e/test_promise.py.
#pragma once

#include "app/daemon/daemon.hpp"
#include "queue/peer_promise.hpp"

#include <boost/json.hpp>

namespace app {

boost::json::object to_json(const queue::PeerPromise& promise, base::TimePoint now);
/// Null: `domain` has promised nothing.
boost::json::value promise_of(Daemon& daemon, const mail::Domain& domain);

}  // namespace app
