// Clock repair: what was written while the wall clock was ahead, once it no longer is.
//
// Such mail would be due, and expire, in days or years. Its ids stay: they are names, in order of
// arrival, and say nothing of the time any more. Storage thread; inside a transaction; throws
// SQLite::Exception.
//
// Tested by tests/unit/queue/clock_test.cpp.
#pragma once

#include "queue/ledger/administration.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// What waits at destination `number` until later than anything waits (RetryPolicy::furthest) is
/// due now. A bounded number of it; the next look has the rest.
void pull_in(Store& store, std::int64_t number);
/// Whether there is such a thing in a class.
bool waits_too_long_by_far(Store& store, std::int64_t number, int mail_class);

/// Messages behind `after` that have come, or ended, in the future have done so now, and expire as
/// much later as they were to. One bounded step. Does nothing while the clock is not believed: it
/// may be behind.
Corrected correct_arrivals(Store& store, QueueId after);
/// The same, as CorrectTimes says.
CorrectionStep correct_times(Store& store, QueueId after, std::uint64_t believed);

}  // namespace queue
