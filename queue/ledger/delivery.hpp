// Operations of delivery: from due to settled, and what becomes of all that waits of a destination.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). Those that are
// steps look at a bounded number of recipients, and say where the next one goes on.
//
// Tested by tests/unit/queue/sqlite/sqlite_ledger_test.cpp and
// tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/due_now.hpp"
#include "queue/ports.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace queue {

/// Large messages take long. They are leased by themselves, so that they get some of a
/// destination's deliveries and small ones the rest.
enum class Portion : std::uint8_t { small, large };

/// What a lease has given out.
struct Lease {
    std::vector<LeasedMessage> messages;
    DueNow due_now;                       ///< destinations that have got mail
    std::optional<base::TimePoint> next;  ///< if nothing was leased: when the next recipient is due
};
/// The first portion of which something is due.
struct Leased {
    Lease lease;
    Portion portion = Portion::small;
    /// If it was looked at, and nothing was due: when something will be; max() for never.
    std::optional<base::TimePoint> next_small;
    std::optional<base::TimePoint> next_large;
};
/// Gives out what is due of `destination`, within `ready.limits`, as queue/sqlite/delivery/leases
/// has it. Its attempt and its transfer are committed with it. What is leased is nobody else's
/// until it is settled. Errc::storage.
struct LeaseDue {
    using Answer = Leased;
    Destination destination;
    Ready ready;
    bool small = true;  ///< whether to look at that portion
    bool large = true;
};

/// Records what became of leased recipients, with the reports that are due. Recipients that are not
/// leased any more are passed over, so that it may be repeated. All or nothing.
struct Settle {
    using Answer = DueNow;
    std::shared_ptr<const std::vector<MessageOutcome>> outcomes;
};
/// The same of the first of `outcomes`; if that can't be recorded and the storage is sound, its
/// message goes to quarantine.
struct SettleOrHold {
    using Answer = DueNow;
    std::shared_ptr<const std::vector<MessageOutcome>> outcomes;
};

/// A place in the order in which what waits of a destination is due: the class, when, the message,
/// and the number of the recipient.
struct WaitingPlace {
    int of_class = 0;
    std::int64_t due = INT64_MIN;
    std::int64_t message = 0;
    std::int64_t n = -1;
};
/// One step.
struct Stepped {
    int changed = 0;  ///< recipients that were put off, that go another way, or that are due
    DueNow due_now;   ///< destinations that have got mail
    std::optional<WaitingPlace> next;  ///< go on behind this; nothing: that was all
};
/// One step of a change of the way.
struct RerouteStep : Stepped {
    std::optional<Deferred> waits;  ///< what those are told that may not go another way
};

/// Nobody at the next hop was heard, and so a destination waits as a whole.
struct Silence {
    Deferred why;
    base::TimePoint until;  ///< it is left alone
    base::TimePoint found;  ///< when that was found out
};

/// A step: what is due of `destination` waits; what has had its last try with that is ended; what
/// has waited for its peer longer than the administrator allows goes by SMTP.
struct PutOff {
    using Answer = Stepped;
    Destination destination;
    Silence silence;
    WaitingPlace behind;
};
/// A step: the peer of `destination` is back: what waits because it could not be reached is due
/// now. Or it has left for good: then so is `all` that waits, for whatever reason.
struct MakeDue {
    using Answer = Stepped;
    Destination destination;
    WaitingPlace behind;
    bool all = false;
};
/// A step: what was never sent goes another way, for `why` (queue/sqlite/delivery/deferral).
struct Reroute {
    using Answer = RerouteStep;
    Destination destination;
    std::string why;
    WaitingPlace behind;
};

struct DueDestination {
    Destination destination;
    base::TimePoint due;
};
/// A page of all with mail that is queued or deferred.
struct DuePage {
    std::vector<DueDestination> destinations;
    std::optional<std::int64_t> next;  ///< go on behind this number; nothing: those were all
};
/// At most `most`, behind the destination with the number `after`.
struct ReadDueDestinations {
    using Answer = DuePage;
    std::int64_t after = 0;
    std::size_t most = 0;
};
/// When the next recipient of `destination` is due; nothing if none waits.
struct FindNextDue {
    using Answer = std::optional<base::TimePoint>;
    Destination destination;
};

}  // namespace queue
