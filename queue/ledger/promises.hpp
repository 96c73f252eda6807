// Operations on what peers have promised of the closed lane.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). All may be
// repeated.
//
// Tested by tests/unit/queue/peers/promise_book_test.cpp.
#pragma once

#include "queue/ledger/intake.hpp"
#include "queue/peer_promise.hpp"

#include <string>
#include <vector>

namespace queue {

/// The next `most` in the order of their domains, behind `after`.
struct LoadPromises {
    using Answer = std::vector<PeerPromise>;
    std::string after;  ///< A-labels; empty: from the start
    std::size_t most = 0;
};
/// In place of what was known of its domain.
struct KeepPromise {
    using Answer = Nothing;
    PeerPromise promise;
};
struct ForgetPromise {
    using Answer = Nothing;
    mail::Domain domain;
};

}  // namespace queue
