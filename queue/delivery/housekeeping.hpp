// Housekeeping: what has to be looked at in the queue every minute or so, and that no mail is the
// reason for.
//
// Corrects the times of mail that came while the clock was ahead, warns senders of delays, ends
// what has expired in quarantine, lets old history go, and complains of mail that waits too long.
// In pieces, so that mail gets its turn between them. Event loop; the work is done on the storage
// thread, in steps, and counting on the reader.
//
// Tested by tests/unit/queue/clock_test.cpp and tests/unit/queue/five_days_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "queue/ledger/reader.hpp"
#include "queue/ledger/storage_thread.hpp"

#include <chrono>
#include <functional>

namespace queue {

class Housekeeping {
  public:
    /// The log has a warning while the oldest mail has waited for longer than `warn_after`.
    /// `arrived` is told of each destination that got a report. `stopping` ends a round early. All
    /// references outlive it.
    Housekeeping(StorageThread& storage, Reader& reader, const base::Clock& clock,
                 std::chrono::milliseconds warn_after, const bool& stopping,
                 std::function<void(const Destination&)> arrived);

    /// One round. What the storage can't do now is left for the next one.
    base::Task<void> once();

  private:
    base::Task<void> correct_times();
    base::Task<void> warn_senders();
    base::Task<void> end_quarantine();
    base::Task<void> let_history_go();
    base::Task<void> complain();

    StorageThread& storage_;
    Reader& reader_;
    const base::Clock& clock_;
    std::chrono::milliseconds warn_after_;
    const bool& stopping_;
    std::function<void(const Destination&)> arrived_;
    QueueId warned_;                  ///< messages up to it have been looked at
    QueueId corrected_;               ///< the same, for their times ...
    std::uint64_t believed_ = 0;      ///< ... since the clock was believed this often
    base::SteadyPoint began_anew_{};  ///< when all were last looked at
};

}  // namespace queue
