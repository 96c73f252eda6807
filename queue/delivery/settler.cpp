#include "queue/delivery/settler.hpp"

#include "base/crash_point.hpp"
#include "queue/log.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace queue {
namespace {

// An outcome that was tried so often goes to quarantine, once the storage takes that.
constexpr int kTries = 3;
// Of what is written together, so that others get their turn: a delivery costs one, and whatever
// may have a report, which is stored with it, as much as several.
constexpr std::size_t kTogether = 500;
constexpr std::size_t kCostOfReport = 20;
constexpr auto kLongestPause = std::chrono::minutes(1);  // between two tries of what is put aside

std::size_t cost_of(const MessageOutcome& outcome) {
    const bool delivered = std::ranges::all_of(outcome.recipients, [](const auto& each) {
        return std::holds_alternative<Delivered>(each.outcome);
    });
    return delivered ? outcome.recipients.size() : kCostOfReport + outcome.recipients.size();
}

/// The first of `outcomes`: one, and others while they fit.
std::vector<MessageOutcome> take_some(std::deque<MessageOutcome>& outcomes) {
    std::vector<MessageOutcome> some;
    std::size_t cost = 0;
    while (!outcomes.empty()) {
        cost += cost_of(outcomes.front());
        if (!some.empty() && cost > kTogether) break;
        some.push_back(std::move(outcomes.front()));
        outcomes.pop_front();
    }
    return some;
}

}  // namespace

void Settler::tell(MessageOutcome outcome) {
    told_.push_back(std::move(outcome));
    if (std::exchange(at_work_, true)) return;
    around_.tasks.spawn("settling", [this] { return work(); });
}

base::Task<void> Settler::work() {
    while (!told_.empty()) {
        const auto together = std::make_shared<std::vector<MessageOutcome>>(take_some(told_));
        co_await record_all(together);
    }
    at_work_ = false;
    around_.idle();
}

base::Task<void> Settler::record_all(Outcomes outcomes) {
    const bool recorded = co_await record(outcomes, false);
    if (recorded) co_return;
    // One that can't be recorded must not undo what is known of the others.
    for (MessageOutcome& each : *outcomes) {
        const auto alone = std::make_shared<std::vector<MessageOutcome>>(1, std::move(each));
        const bool done = outcomes->size() > 1 && co_await record(alone, false);
        if (done) continue;
        log::outcome_unwritten(alone->front().id);
        aside_.push_back({alone, 1});
    }
    if (aside_.empty() || std::exchange(tries_again_, true)) co_return;
    around_.tasks.spawn("settling again", [this] { return try_again(); });
}

/// The outcomes are known and only have to be written: mail that was delivered would go out twice
/// if they were dropped. The disk may get room again; a stop ends the wait, and then the recipients
/// are found leased at the next start.
base::Task<void> Settler::try_again() {
    std::chrono::milliseconds pause = around_.pause;
    while (!aside_.empty() && !around_.stopping) {
        co_await base::sleep_for(pause);
        pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
        for (std::size_t i = 0; i < aside_.size() && !around_.stopping;) {
            // More may be put aside meanwhile, behind it.
            const Outcomes outcome = aside_[i].outcome;
            const bool or_hold = ++aside_[i].tries > kTries;
            const bool done = co_await record(outcome, or_hold);
            if (done)
                aside_.erase(aside_.begin() + static_cast<std::ptrdiff_t>(i));
            else
                ++i;
        }
    }
    tries_again_ = false;
    around_.idle();
}

base::Task<bool> Settler::record(Outcomes outcomes, bool or_hold) {
    base::crash_point("settle.before");
    base::Task<base::Result<Committed<DueNow>>> writing;
    if (or_hold)
        writing = around_.storage.write(SettleOrHold{outcomes});
    else
        writing = around_.storage.write(Settle{outcomes});
    const base::Result<Committed<DueNow>> settled = co_await std::move(writing);
    base::crash_point("settle.after");
    if (settled) around_.due_now(**settled);
    co_return settled.has_value();
}

}  // namespace queue
