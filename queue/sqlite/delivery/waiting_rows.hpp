// WaitingRows: what waits of one destination, in the order of its index, in steps.
//
// However much waits, a step looks at a bounded number of rows, and says where the next one goes
// on. Storage thread.
//
// Tested by tests/unit/queue/sqlite/delivery/deferral_test.cpp.
#pragma once

#include "queue/ledger/delivery.hpp"
#include "queue/sqlite/store/store.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace queue {

/// A recipient that is queued or deferred.
struct WaitingRow {
    WaitingPlace place;
    QueueId message;
    std::uint32_t n = 0;
    std::string status;  ///< of the last reply; empty before the first
    std::string reply;   ///< its text
    bool was_sent = false;
    bool is_whole = false;  ///< its message has a row: only then the following is known
    base::TimePoint received_at{};
    base::TimePoint expires_at{};
    std::size_t size = 0;  ///< bytes of its message's content
};

/// When what is looked at is due.
struct DueTimes {
    base::TimePoint after = base::TimePoint::min();  ///< later than this ...
    base::TimePoint until = base::TimePoint::max();  ///< ... and not later than this
};

/// At most `most` rows of `destination` (its number) behind `behind`. Fewer: those were the last.
std::vector<WaitingRow> waiting_rows(Store& store, std::int64_t destination,
                                     const WaitingPlace& behind, const DueTimes& due,
                                     std::size_t most);

}  // namespace queue
