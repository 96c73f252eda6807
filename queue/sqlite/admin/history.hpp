// History: how much waits, and what has ended and goes after its time. Storage thread.
//
// Tested by tests/unit/queue/clock_test.cpp and tests/unit/queue/sqlite/intake/verdicts_test.cpp.
#pragma once

#include "queue/ledger/questions.hpp"
#include "queue/sqlite/store/store.hpp"

#include <string>
#include <vector>

namespace queue {

/// Counts all that waits: for the Reader, where that delays no mail. Throws SQLite::Exception.
Health health(Database& database);

/// Removes messages that ended longer ago than the history is kept, and verdicts that no transfer
/// can ask for any more; a bounded number at once. Returns how many messages went;
/// limits::kPruned if there may be more.
base::Result<int> prune(Store& store);

}  // namespace queue
