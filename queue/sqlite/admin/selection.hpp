// Selection: which recipients of the queue an administrator means, and the one place where that is
// SQL.
//
// Only recipients that have not ended. A value, made from what somebody typed; walking it is done
// in steps, each with a bound.
//
// Tested by tests/unit/queue/sqlite/admin/operations_test.cpp.
#pragma once

#include "queue/ledger/administration.hpp"
#include "queue/sqlite/store/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace queue {

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
