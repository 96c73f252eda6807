// Selection: which recipients of the queue an administrator means, and the one place where that is
// SQL.
//
// Only recipients that have not ended. A value, made from what somebody typed; walking it is done
// in steps, each with a bound.
//
// Tested by tests/unit/queue/admin/operations_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/destination.hpp"
#include "queue/queue_id.hpp"
#include "queue/store/database.hpp"
#include "queue/store/store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace queue {

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

/// What one step has found, in the order of arrival.
struct SelectedPage {
    std::vector<Selected> found;
    std::optional<Selected> next;  ///< go on behind this; nothing: that was all
    int unreadable = 0;            ///< recipients, meant or not, whose message is on a damaged page
};

/// What becomes of a walk at a message that is on a damaged page.
enum class AtDamage : std::uint8_t {
    fail,   ///< it throws SQLite::Exception
    go_on,  ///< as if nothing were known of the message but its recipients; only looking
};

/// At most `most` recipients that `selection` means, behind `after` (nothing: from the start).
/// Looks at a bounded number, so that a step may find none though there are more. Works on any
/// connection.
SelectedPage select(Database& database, const Selection& selection,
                    const std::optional<Selected>& after, std::size_t most,
                    AtDamage at_damage = AtDamage::fail);

}  // namespace queue
