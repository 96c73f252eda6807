#include "queue/delivery/delivery_run.hpp"

#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "queue/delivery/silence.hpp"
#include "queue/log.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

/// The most that anything here waits without being called: a bound, not a schedule.
constexpr auto kWaitAgain = std::chrono::minutes(1);
constexpr std::size_t kLeases = 50;       // of one run, while others wait for its place
constexpr std::size_t kUnsettled = 1000;  // outcomes that wait to be settled before more is leased

/// What an attempt is told when its courier has thrown: nothing is known of what left.
Outcome unknown_fault(const char* why) {
    return Deferred{{451, {4, 3, 0}, std::string("internal error: ") + why}, "", false, {}};
}

}  // namespace

DeliveryRun::DeliveryRun(Surroundings around, Destination destination, Courier& courier,
                         Ready ready)
    : around_(std::move(around)),
      destination_(std::move(destination)),
      courier_(courier),
      ready_(std::move(ready)),
      changed_(around_.executor),
      settler_({around_.storage, around_.tasks, around_.stopping, around_.due_now,
                [this] { changed_.notify(); }}) {}

void DeliveryRun::more() {
    next_small_.reset();
    next_large_.reset();
    changed_.notify();
}

bool DeliveryRun::has_place(Portion portion) const {
    const std::size_t places = courier_.concurrency();
    if (under_way_ >= places) return false;
    return portion == Portion::small || large_under_way_ < std::max<std::size_t>(places / 2, 1);
}

bool DeliveryRun::is_worth_a_look(Portion portion) const {
    const auto& next = portion == Portion::small ? next_small_ : next_large_;
    return has_place(portion) && next.value_or(base::SteadyPoint::min()) <= around_.clock.steady();
}

base::Task<void> DeliveryRun::run() {
    while (!around_.stopping && !findings_.is_silent()) {
        // What others have waited for longer goes first; the rest is due again at once.
        if (leases_ >= kLeases && around_.is_crowded()) break;
        const bool looks = settler_.waiting() < kUnsettled &&
                           (is_worth_a_look(Portion::small) || is_worth_a_look(Portion::large));
        if (looks) {
            const bool leased = co_await lease_some();
            if (findings_.storage_failed) break;
            // What is new is not for this peer any more.
            if (!leased && ready_.call_back) break;
            continue;
        }
        if (under_way_ == 0 && settler_.is_idle()) break;
        // Mail that comes or becomes due now need not wait for the slowest delivery of this run.
        const auto now = around_.clock.steady();
        auto until = now + kWaitAgain;
        for (const auto& next : {next_small_, next_large_}) {
            if (next && *next > now) until = std::min(until, *next);
        }
        co_await changed_.wait(until - now);
    }
    while (under_way_ > 0 || !settler_.is_idle())
        co_await changed_.wait(kWaitAgain);
}

std::optional<base::SteadyPoint> DeliveryRun::steady(std::optional<base::TimePoint> due) const {
    if (!due) return std::nullopt;
    return base::steady_at(around_.clock, *due);
}

base::Task<bool> DeliveryRun::lease_some() {
    const bool small = is_worth_a_look(Portion::small);
    const bool large = is_worth_a_look(Portion::large);
    // Before the look, so that mail that comes meanwhile counts.
    if (small) next_small_ = base::SteadyPoint::max();
    if (large) next_large_ = base::SteadyPoint::max();
    if (!ready_.call_back) ready_.limits = courier_.limits(destination_, ready_);
    if (ready_.limits.messages == 0) co_return false;
    LeaseDue lease{destination_, ready_, small, large};
    base::Result<Committed<Leased>> done = co_await around_.storage.write(std::move(lease));
    if (!done) {
        // The storage's own log line says why. Asked again at once, it would say the same.
        findings_.storage_failed = true;
        co_return false;
    }
    Leased taken = done->release();
    around_.due_now(taken.lease.due_now);
    const bool leased = !taken.lease.messages.empty();
    // Unless more() has been called meanwhile.
    if (small && next_small_)
        next_small_ =
            leased && taken.portion == Portion::small ? std::nullopt : steady(taken.next_small);
    if (large && next_large_) next_large_ = steady(taken.next_large);
    if (leased) base::crash_point("lease.after");
    if (leased) start(std::move(taken.lease.messages), taken.portion);
    co_return leased;
}

void DeliveryRun::start(std::vector<LeasedMessage> messages, Portion portion) {
    ++leases_;
    ++under_way_;
    if (portion == Portion::large) ++large_under_way_;
    const auto kept = std::make_shared<std::vector<LeasedMessage>>(std::move(messages));
    around_.tasks.spawn("delivery", [this, kept, portion] { return deliver(kept, portion); });
}

base::Task<void> DeliveryRun::deliver(std::shared_ptr<std::vector<LeasedMessage>> messages,
                                      Portion portion) {
    // What has not been told of, in case that the courier throws.
    using Part = std::pair<QueueId, std::uint32_t>;  // a message and its first recipient
    std::map<Part, std::vector<std::uint32_t>> open;
    for (const LeasedMessage& message : *messages) {
        auto& numbers = open[{message.id, message.envelope.recipients.front().n}];
        for (const auto& recipient : message.envelope.recipients)
            numbers.push_back(recipient.n);
    }
    Tell tell = [this, &open](MessageOutcome outcome) {
        open.erase({outcome.id, outcome.recipients.front().n});
        settle(std::move(outcome));
    };
    try {
        std::vector<LeasedMessage> handed = std::move(*messages);
        co_await courier_.deliver(destination_, std::move(handed), tell);
    } catch (const std::exception& error) {
        log::storage_failed("courier", error.what());
        for (const auto& [part, recipients] : std::exchange(open, {})) {
            MessageOutcome outcome{part.first, {}, true};
            for (const std::uint32_t n : recipients)
                outcome.recipients.push_back({n, unknown_fault(error.what())});
            settle(std::move(outcome));
        }
    }
    --under_way_;
    if (portion == Portion::large) --large_under_way_;
    changed_.notify();
}

void DeliveryRun::settle(MessageOutcome outcome) {
    for (RecipientOutcome& each : outcome.recipients) {
        auto* const deferred = std::get_if<Deferred>(&each.outcome);
        // Who is being stopped has not tried to the end.
        if (deferred != nullptr && around_.stopping) deferred->tried = false;
        if (deferred != nullptr && is_silence(*deferred))
            findings_.missed = *deferred;
        else
            findings_.reached = true;
    }
    settler_.tell(std::move(outcome));
}

}  // namespace queue
