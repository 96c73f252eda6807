#include "queue/admin/housekeeping.hpp"

#include "base/limits.hpp"
#include "queue/admin/history.hpp"
#include "queue/delivery/clock_repair.hpp"
#include "queue/delivery/quarantine_expiry.hpp"
#include "queue/log.hpp"
#include "queue/notify/delays.hpp"

namespace queue {
namespace {

// Mail that was held when its time for a warning came may have been released since.
constexpr auto kAllAgain = std::chrono::hours(1);

struct CorrectionStep {
    std::uint64_t believed = 0;  ///< how often the clock was believed
    Corrected corrected;
};

/// From the start once for each time that the clock is believed: what comes then has the right
/// time.
CorrectionStep correct_step(Store& store, QueueId after, std::uint64_t before) {
    store.keep_clock();
    const std::uint64_t believed = store.clock_trust()->look().times_believed;
    return {believed, correct_arrivals(store, believed == before ? after : QueueId())};
}

}  // namespace

Housekeeping::Housekeeping(StorageThread& storage, Reader& reader, const base::Clock& clock,
                           std::chrono::milliseconds warn_after, const bool& stopping,
                           std::function<void(const Destination&)> arrived)
    : storage_(storage),
      reader_(reader),
      clock_(clock),
      warn_after_(warn_after),
      stopping_(stopping),
      arrived_(std::move(arrived)) {}

base::Task<void> Housekeeping::once() {
    co_await correct_times();
    co_await let_history_go();
    co_await end_quarantine();
    co_await warn_senders();
    co_await complain();
}

base::Task<void> Housekeeping::correct_times() {
    for (bool more = true; more && !stopping_;) {
        std::function<base::Result<CorrectionStep>(Store&)> correct =
            [after = corrected_, before = believed_](Store& store) {
                return base::Result<CorrectionStep>(correct_step(store, after, before));
            };
        const base::Result<Committed<CorrectionStep>> done =
            co_await storage_.step<CorrectionStep>(std::move(correct));
        if (!done) co_return;
        believed_ = (*done)->believed;
        corrected_ = (*done)->corrected.seen;
        more = (*done)->corrected.more;
    }
}

base::Task<void> Housekeeping::warn_senders() {
    if (clock_.steady() - began_anew_ >= kAllAgain) {
        began_anew_ = clock_.steady();
        warned_ = {};
    }
    for (bool more = true; more && !stopping_;) {
        std::function<base::Result<DelaySweep>(Store&)> warn = [after = warned_](Store& store) {
            return warn_of_delays(store, after);
        };
        const base::Result<Committed<DelaySweep>> swept =
            co_await storage_.step<DelaySweep>(std::move(warn));
        if (!swept) co_return;
        warned_ = (*swept)->seen;
        more = (*swept)->more;
        for (const Destination& destination : (*swept)->woken)
            arrived_(destination);
    }
}

base::Task<void> Housekeeping::end_quarantine() {
    std::optional<QuarantineStep::Place> behind = QuarantineStep::Place();
    while (behind && !stopping_) {
        std::function<base::Result<QuarantineStep>(Store&)> expire =
            [place = *behind](Store& store) { return expire_quarantine(store, place); };
        const base::Result<Committed<QuarantineStep>> ended =
            co_await storage_.step<QuarantineStep>(std::move(expire));
        if (!ended) co_return;
        for (const Destination& destination : (*ended)->woken)
            arrived_(destination);
        behind = (*ended)->next;
    }
}

base::Task<void> Housekeeping::let_history_go() {
    for (int pruned = static_cast<int>(base::limits::kPruned);
         pruned >= static_cast<int>(base::limits::kPruned) && !stopping_;) {
        std::function<base::Result<int>(Store&)> tidy = prune;
        const base::Result<Committed<int>> done = co_await storage_.step<int>(std::move(tidy));
        if (!done) co_return;
        pruned = **done;
    }
}

base::Task<void> Housekeeping::complain() {
    std::function<base::Result<Health>(Database&)> look = [](Database& database) {
        return base::Result<Health>(health(database));
    };
    const base::Result<Health> found = co_await reader_.read<Health>(std::move(look));
    if (!found || !found->oldest) co_return;
    const auto age = clock_.now() - *found->oldest;
    if (age > warn_after_) log::oldest_is_old(age, found->waiting);
}

}  // namespace queue
