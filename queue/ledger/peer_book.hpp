// Operations on the peer book: how the mail of each authenticated domain has turned out, and what
// an administrator says of it.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). What comes is
// counted by the operations that it comes with: a transfer with its verdict (Accept), and what our
// mail server said of it later (Settle).
//
// Tested by tests/unit/queue/ledger/peer_book_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "mail/domain.hpp"
#include "queue/ledger/intake.hpp"
#include "queue/peer_class.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace queue {

/// A line of the book.
struct Standing {
    std::string domain;  ///< A-labels
    std::chrono::sys_days since;
    std::chrono::sys_days last;  ///< the last day on which anything was counted
    PeerRecord record;
    std::optional<base::TimePoint> set_at{};  ///< when its class was given by hand
    /// Where it was asked for by name: the newest first, at most PeerRecord::kDays.
    std::vector<std::pair<std::chrono::sys_days, PeerFigures>> days{};
};

/// From now on `domain` is of that class, whatever comes; nothing: of the one that its figures say.
/// `limited` and `blocked` hold for the domains below it, too, if it is the registrable one, and
/// these have none of their own. Errc::not_found (there is nothing to be taken back), Errc::limit
/// (the book is full of such), Errc::storage.
struct SetPeerClass {
    using Answer = Nothing;
    mail::Domain domain;
    std::optional<PeerClass> by_hand;
};
/// All that is known of `domain`, figures and what was said of it. Errc::not_found, Errc::storage.
struct ForgetStanding {
    using Answer = Nothing;
    mail::Domain domain;
};

}  // namespace queue
