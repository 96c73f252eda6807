// Operations on the emergency switch: whether our mail goes by SMTP instead of over XMPP.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). All may be
// repeated.
//
// Tested by tests/unit/queue/peers/off_switch_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/ledger/intake.hpp"

#include <optional>

namespace queue {

/// Since when it is off, and until when; without that, until an administrator ends it.
struct Off {
    base::TimePoint since;
    std::optional<base::TimePoint> until;
    bool operator==(const Off&) const = default;
};

struct LoadOff {
    using Answer = std::optional<Off>;
};
/// Nothing: it is on.
struct SetOff {
    using Answer = Nothing;
    std::optional<Off> off;
};

}  // namespace queue
