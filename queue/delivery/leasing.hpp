// Leasing: what becomes of a message whose recipients are due, once their destination can be tried.
// Pure; whoever keeps the queue finds what is due, and writes down what is decided here.
//
// Tested by tests/unit/queue/delivery/leasing_test.cpp.
#pragma once

#include "queue/destination.hpp"
#include "queue/moment.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>

namespace queue {

/// Recipients of one message that travel together.
struct Due {
    base::TimePoint received_at;
    std::size_t size = 0;    ///< bytes of the message
    bool was_sent = false;   ///< a stanza of their transfer may have left
    bool was_tried = false;  ///< each of them, over this way
    /// It may have ended the process (queue/sqlite/delivery/crashes), and nothing goes beside it.
    bool goes_alone = false;
    bool has_to_wait = false;  ///< for another one that may
};
/// What the lease has by now.
struct LeaseSoFar {
    std::size_t messages = 0;
    std::size_t bytes = 0;
};

/// It is leased.
struct GivenOut {
    std::optional<std::string> call_back;  ///< as LeasedMessage has it
    bool is_last = false;                  ///< nothing else in this lease
};
/// It waits for another that may have ended the process.
struct KeptBack {};
/// It is not looked at now.
struct PassedOver {};
/// Neither this one nor what is behind it fits into the lease.
struct NoRoom {};
using Judgement = std::variant<GivenOut, Rerouted, KeptBack, PassedOver, NoRoom>;

Judgement judge(const Due& due, const LeaseSoFar& lease, const Destination& destination,
                const Ready& ready, const Router& router, const Moment& moment);

/// When a new transfer of a message that expires at `expires_at` does: not beyond what its peer
/// takes (`retention`), and no earlier than an hour from now, so that there is time for a last try.
base::TimePoint transfer_expiry(base::TimePoint expires_at, std::chrono::seconds retention,
                                base::TimePoint now);

/// The number of `envelope`'s first recipients that fit into it, one at least.
std::size_t recipients_that_fit(const mail::Envelope& envelope, const EnvelopeLimit& limit,
                                bool dsn);

}  // namespace queue
