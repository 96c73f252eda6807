#include "queue/delivery/housekeeping.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"

namespace queue {
namespace {

// Mail that was held when its time for a warning came may have been released since.
constexpr auto kAllAgain = std::chrono::hours(1);

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
        CorrectTimes correct{corrected_, believed_};
        const auto done = co_await storage_.step(std::move(correct));
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
        WarnOfDelays warn{warned_};
        const auto swept = co_await storage_.step(std::move(warn));
        if (!swept) co_return;
        warned_ = (*swept)->seen;
        more = (*swept)->more;
        for (const Destination& destination : (*swept)->due_now)
            arrived_(destination);
    }
}

base::Task<void> Housekeeping::end_quarantine() {
    std::optional<QuarantineStep::Place> behind = QuarantineStep::Place();
    while (behind && !stopping_) {
        ExpireQuarantine expire{*behind};
        const auto ended = co_await storage_.step(std::move(expire));
        if (!ended) co_return;
        for (const Destination& destination : (*ended)->due_now)
            arrived_(destination);
        behind = (*ended)->next;
    }
}

base::Task<void> Housekeeping::let_history_go() {
    for (int pruned = static_cast<int>(base::limits::kPruned);
         pruned >= static_cast<int>(base::limits::kPruned) && !stopping_;) {
        const Prune prune;
        const auto done = co_await storage_.step(prune);
        if (!done) co_return;
        pruned = **done;
    }
}

base::Task<void> Housekeeping::complain() {
    const CountWaiting question;
    const auto found = co_await reader_.ask(question);
    if (!found || !found->oldest) co_return;
    const auto age = clock_.now() - *found->oldest;
    if (age > warn_after_) log::oldest_is_old(age, found->waiting);
}

}  // namespace queue
