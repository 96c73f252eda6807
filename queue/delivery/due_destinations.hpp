// DueDestinations: which destinations have mail, and when the first of it is due. Storage thread.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/store/store.hpp"

#include <optional>
#include <vector>

namespace queue {

struct DueDestination {
    Destination destination;
    base::TimePoint due;
};

/// A page of all with mail that is queued or deferred.
struct DuePage {
    std::vector<DueDestination> destinations;
    std::optional<std::int64_t> next;  ///< go on behind this number; nothing: those were all
};

/// At most `most`, behind the destination with the number `after`. Looks at a few rows for each,
/// however much waits.
DuePage due_destinations(Store& store, std::int64_t after, std::size_t most);

}  // namespace queue
