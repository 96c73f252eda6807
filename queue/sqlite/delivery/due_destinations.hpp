// DueDestinations: which destinations have mail, and when the first of it is due. Storage thread.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/ledger/delivery.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// At most `most`, behind the destination with the number `after`. Looks at a few rows for each,
/// however much waits.
DuePage due_destinations(Store& store, std::int64_t after, std::size_t most);

}  // namespace queue
