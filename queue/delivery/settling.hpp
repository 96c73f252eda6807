// Settling: what an outcome makes of a recipient. Pure: values in, values out; whoever keeps the
// queue writes them down.
//
// Tested by tests/unit/queue/delivery/settling_test.cpp.
#pragma once

#include "base/random.hpp"
#include "mail/report.hpp"
#include "queue/destination.hpp"
#include "queue/moment.hpp"
#include "queue/ports.hpp"
#include "queue/state.hpp"

#include <optional>
#include <string>
#include <variant>

namespace queue {

/// A recipient, as the queue has it when an outcome comes.
struct Attempted {
    Destination destination;
    int attempts = 0;       ///< this one included
    bool was_sent = false;  ///< a stanza of its transfer may have left
    base::TimePoint expires_at;
    bool wants_success = false;  ///< NOTIFY=SUCCESS
    bool is_promised = false;    ///< to go over XMPP only, as its sender's domain is
};

/// What its sender is to hear, if they want to.
struct Notice {
    mail::Action action;
    mail::Reply reply;
    std::string remote;  ///< who said so; empty: we
};

/// It has ended, as `state`.
struct Ended {
    State state;
    mail::Reply reply;
    std::string remote;
    std::optional<Notice> notice;
};
/// It is tried again at `due`.
struct TriedAgain {
    Deferred why;
    base::TimePoint due;
};
/// Or it is held, or goes around the lane of its destination (queue/delivery/fallback).
using Transition = std::variant<Ended, TriedAgain, Held, Rerouted>;

Transition transition(const Attempted& recipient, const Outcome& outcome, const Router& router,
                      const Moment& moment, base::Random& random);

/// Its time is up, and `last` is what its last try said (RFC 3463 3.5: 4.4.7 is "delivery time
/// expired"; as a final failure its class is 5).
Ended expired(const Attempted& recipient, const Deferred& last);

/// An administrator ends it: its sender hears of that if it is to `bounce`.
Ended cancelled(bool was_sent, bool bounce, const std::string& hostname);

}  // namespace queue
