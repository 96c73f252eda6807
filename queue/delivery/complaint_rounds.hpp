// ComplaintRounds: what is done about complaints by and by: those of people here go into the queue,
// once a day, and those of peers to our abuse address.
//
// A complaint goes at the end of the period (of UTC: at midnight, if that is a day) in which it
// came, or of the next one if it came in its last quarter: who sends spam does not learn from the
// time who has complained. So a restart delays nothing. In steps. Event loop.
//
// Tested by tests/unit/queue/delivery/complaint_rounds_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "queue/complaint.hpp"
#include "queue/ledger/reader.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/slowed_senders.hpp"
#include "queue/store_settings.hpp"

#include <chrono>
#include <functional>

namespace queue {

/// Complaints that came until then go at `now`.
base::TimePoint complaints_until(base::TimePoint now, std::chrono::milliseconds period);

class ComplaintRounds {
  public:
    /// `arrived` is told of each destination that got something. `stopping` ends a round early. All
    /// references outlive it.
    ComplaintRounds(StorageThread& storage, Reader& reader, SlowedSenders& slowed,
                    const base::Clock& clock, ComplaintPlan plan, const bool& stopping,
                    std::function<void(const Destination&)> arrived);

    /// From now on.
    void use(ComplaintPlan plan) { plan_ = std::move(plan); }
    /// How long to wait before the next round.
    std::chrono::milliseconds pause() const;
    /// Who is slowed is known afterwards. Before the first mail goes.
    base::Task<void> load();
    /// One round, of what is on. What the storage can't do now is left for the next one.
    base::Task<void> once(ComplaintSettings which);

  private:
    base::Task<void> queue_some();
    base::Task<void> report_some();

    StorageThread& storage_;
    Reader& reader_;
    SlowedSenders& slowed_;
    const base::Clock& clock_;
    ComplaintPlan plan_;
    const bool& stopping_;
    std::function<void(const Destination&)> arrived_;
};

}  // namespace queue
