// Operations of administration: what somebody does with mail in the queue, and what is looked at
// every minute.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). All are steps,
// of a bounded number of recipients or messages, and say where the next one goes on.
//
// Tested by tests/unit/queue/sqlite/admin/operations_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "queue/destination.hpp"
#include "queue/due_now.hpp"
#include "queue/ledger/intake.hpp"
#include "queue/queue_id.hpp"
#include "queue/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

/// Which recipients an administrator means: of those that have not ended.
struct Selection {
    std::vector<QueueId> ids;   ///< of messages; none: all of them
    std::vector<State> states;  ///< none: every state
    std::optional<Lane> lane;
    std::string to;      ///< a recipient's address; empty: any
    std::string from;    ///< the sender's address; empty: any
    std::string domain;  ///< of the recipient; in any spelling, as in the addresses
    std::string sender_domain;
    std::optional<base::TimePoint> before;  ///< came earlier than this
    std::optional<base::TimePoint> after;   ///< came later than this

    bool is_everything() const;
};

/// A recipient, and the place behind it.
struct Selected {
    QueueId message;
    std::uint32_t n = 0;
    State state = State::queued;
};

enum class Verb : std::uint8_t {
    flush,  ///< what waits is due now
    hold,   ///< what waits is not tried until it is released
    /// What is held is due now; from quarantine only if it can be read again, and all of a message.
    release,
    retry,   ///< routes anew what was never sent, and makes it due now
    cancel,  ///< ends it; nobody is told
    bounce,  ///< ends it; its sender is told
};
const char* to_text(Verb verb);
/// Errc::syntax for another word.
base::Result<Verb> parse_verb(std::string_view word);

struct Operated {
    std::int64_t changed = 0;
    std::int64_t at_work = 0;  ///< passed over: being delivered now
    std::int64_t other = 0;    ///< passed over: not in a state that the verb is for
    std::int64_t unclear = 0;  ///< of `changed`: ended though its delivery can't be excluded
    std::vector<std::string> refused;  ///< one line each, at most a few: why it can't be done
    DueNow touched;                    ///< destinations that have got something to do
    std::optional<Selected> next;      ///< go on behind this; nothing: that was all
};

/// A step of `verb`, behind `after` (nothing: from the start). What is being delivered at that
/// moment is passed over, and counted.
struct Operate {
    using Answer = Operated;
    Verb verb = Verb::flush;
    Selection selection;
    std::optional<Selected> after;
};

/// What was written while the clock was ahead.
struct Corrected {
    QueueId seen;       ///< messages up to it have been looked at
    bool more = false;  ///< there are some behind it
    std::size_t count = 0;
};
struct CorrectionStep {
    std::uint64_t believed = 0;  ///< how often the clock was believed
    Corrected corrected;
};
/// A step: what came in the future has come now (queue/sqlite/delivery/clock_repair), from the
/// start once for each time that the clock is believed. Writes down what the next start has to know
/// of the clock.
struct CorrectTimes {
    using Answer = CorrectionStep;
    QueueId after;
    std::uint64_t believed = 0;  ///< as the last step has said
};

struct DelaySweep {
    QueueId seen;      ///< every message up to this one has been looked at
    bool more = true;  ///< there may be more than one step looks at: go on at once
    DueNow due_now;    ///< destinations that got reports
};
/// A step: tells senders that their mail still waits, once for each recipient.
struct WarnOfDelays {
    using Answer = DelaySweep;
    QueueId after;
};

/// One step of ending what is in quarantine and has expired.
struct QuarantineStep {
    /// A message in the order of expiry, behind which the next step goes on.
    struct Place {
        std::int64_t expires = INT64_MIN;
        std::int64_t message = 0;
    };
    DueNow due_now;             ///< destinations that got reports
    std::optional<Place> next;  ///< nothing: that was all
};
struct ExpireQuarantine {
    using Answer = QuarantineStep;
    QuarantineStep::Place behind;
};

/// A step: removes what ended longer ago than the history is kept. How many messages went;
/// limits::kPruned if there may be more.
struct Prune {
    using Answer = int;
};

/// Until it is undone, no file of a content is removed: somebody copies them.
struct PinContents {
    using Answer = Nothing;
    bool pinned = false;
};

}  // namespace queue
