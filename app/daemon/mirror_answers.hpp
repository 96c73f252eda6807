// What the control socket answers to the question how a peer sees us, and that in words.
//
// On the event loop; the words are pure.
//
// Tested by tests/unit/app/check/check_mirror_test.cpp and tests/e2e/test_mirror.py.
#pragma once

#include "app/daemon/daemon.hpp"
#include "component/outgoing/mirror_look.hpp"

#include <boost/json.hpp>

namespace app {

/// `asked`: "peer", a component that takes mail, "component", ours that asks it, and "domains" (20
/// at most) of ours. Refused, or not understood, if these are none.
base::Task<boost::json::object> answer_mirror(Daemon& daemon, boost::json::object asked);

/// "state" (MirrorLook::Kind) and "why"; if it is `seen`: "assurance", "max_size", "max_stanza"
/// (bytes), "round_trip", "ahead" (milliseconds), "its_time", "our_time" (XEP-0082 3.2), and
/// "domains", each a "domain" and its "state" (Standing).
boost::json::object mirror_answer(const component::MirrorLook& look);

}  // namespace app
