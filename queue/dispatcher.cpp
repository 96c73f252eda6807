#include "queue/dispatcher.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"
#include "queue/settlement.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

/// The most that anything here waits without being called: a bound, not a schedule.
constexpr auto kLookAgain = std::chrono::minutes(1);

/// True if nobody at the next hop was heard: then the whole destination waits.
bool is_silence(const Outcome& outcome) {
    const auto* const deferred = std::get_if<Deferred>(&outcome);
    return deferred != nullptr && !deferred->settled && deferred->reply.status.subject == 4;
}

/// What an attempt is told when its courier has thrown: nothing is known of what left.
Outcome unknown_fault(const char* why) {
    return Deferred{{451, {4, 3, 0}, std::string("internal error: ") + why}, "", false, {}};
}

}  // namespace

Dispatcher::Dispatcher(base::asio::any_io_executor executor, StorageThread& storage,
                       RetryPolicy retry, const base::Clock& clock, base::Random& random)
    : executor_(executor),
      storage_(storage),
      retry_(retry),
      clock_(clock),
      random_(random),
      changed_(executor),
      tasks_(executor) {}

base::Task<base::Result<void>> Dispatcher::start() {
    using Due = std::map<Destination, base::TimePoint>;
    std::function<base::Result<Due>(Store&)> look = [](Store& store) {
        return base::Result<Due>(all_due(store));
    };
    const base::Result<Due> due = co_await storage_.read<Due>(std::move(look));
    if (!due) co_return due.error();
    for (const auto& [destination, at] : *due)
        entries_[destination].due = at;
    tasks_.spawn("dispatcher", [this] { return schedule(); });
    co_return base::Result<void>();
}

base::Task<void> Dispatcher::stop() {
    stopping_ = true;
    changed_.notify();
    co_await tasks_.join();
}

void Dispatcher::arrived(const Destination& destination) {
    Entry& entry = entries_[destination];
    entry.due = std::max(clock_.now(), entry.blocked_until);
    entry.again = true;
    if (entry.pass) entry.pass->changed.notify();
    changed_.notify();
}

void Dispatcher::peer_is_back(const std::string& peer) {
    for (const auto& [destination, entry] : entries_) {
        // After a restart it is not yet known who serves a domain: those are tried, too.
        const bool is_its =
            destination.lane == Lane::xmpp && (entry.peer == peer || entry.peer.empty());
        const bool waits = entry.at_work || entry.failures > 0 || entry.due > clock_.now();
        if (is_its && waits) start_waking(destination);
    }
}

void Dispatcher::link_is_up(const std::string& component) {
    for (const auto& [destination, entry] : entries_) {
        if (destination.lane == Lane::xmpp && destination.component == component)
            start_waking(destination);
    }
}

void Dispatcher::start_waking(const Destination& destination) {
    // A pass that is under way may still come to the conclusion that nobody is there: it looks
    // again then.
    entries_[destination].woken = true;
    tasks_.spawn("wake", [this, destination] { return wake(destination); });
}

base::Task<void> Dispatcher::wake(Destination destination) {
    std::function<base::Result<int>(Store&)> operation = [destination](Store& store) {
        return wake_destination(store, destination);
    };
    const base::Result<Committed<int>> woken = co_await storage_.write<int>(std::move(operation));
    const auto found = entries_.find(destination);
    if (!woken || found == entries_.end()) co_return;
    found->second.failures = 0;
    found->second.blocked_until = {};
    found->second.due = clock_.now();
    found->second.again = true;
    changed_.notify();
}

void Dispatcher::look_at(const Woken& destinations) {
    for (const Destination& destination : destinations)
        arrived(destination);
}

base::Task<void> Dispatcher::schedule() {
    while (!stopping_) {
        const base::TimePoint now = clock_.now();
        base::TimePoint next = now + kLookAgain;
        for (auto& [destination, entry] : entries_) {
            // Our own MTA is not kept waiting by peers that are out, however many they are.
            const bool is_peer = destination.lane == Lane::xmpp;
            if (entry.at_work || (is_peer && at_work_ >= base::limits::kDestinationsAtWork))
                continue;
            if (entry.due > now) {
                next = std::min(next, entry.due);
                continue;
            }
            entry.at_work = true;
            ++at_work_;
            tasks_.spawn("destination",
                         [this, destination = destination] { return work(destination); });
        }
        co_await changed_.wait(next - now);
    }
}

base::Task<void> Dispatcher::work(Destination destination) {
    Entry& entry = entries_[destination];  // stays where it is while it is at work
    entry.again = false;
    entry.woken = false;
    const int failures = entry.failures;
    co_await attempt(destination);
    const bool recovered = failures > 0 && entry.failures == 0;
    if (entry.woken || recovered) co_await wake(destination);
    using Next = std::optional<base::TimePoint>;
    std::function<base::Result<Next>(Store&)> look = [destination](Store& store) {
        return base::Result<Next>(next_due(store, destination));
    };
    const base::Result<Next> next = co_await storage_.read<Next>(std::move(look));
    --at_work_;
    entry.at_work = false;
    if (!next) {
        // The storage is out: its own log line says why. Look again later.
        entry.due = clock_.now() + retry_.first;
    } else if (*next) {
        entry.due = std::max(**next, entry.blocked_until);
    } else if (!entry.again) {
        entries_.erase(destination);
    }
    changed_.notify();
}

base::Task<void> Dispatcher::attempt(Destination destination) {
    const auto courier = couriers_.find(destination.lane);
    if (courier == couriers_.end()) {
        const Readiness none =
            Deferred{{451, {4, 3, 5}, "nothing is configured for this lane"}, "", false, {}};
        co_await put_off(destination, none);
        co_return;
    }
    Readiness readiness = co_await courier->second->prepare(destination);
    if (auto* const ready = std::get_if<Ready>(&readiness)) {
        entries_[destination].peer = ready->peer;
        co_await drain(destination, courier->second, std::move(*ready));
    } else if (const auto* const rerouted = std::get_if<Rerouted>(&readiness)) {
        const std::string why = rerouted->why;
        const bool rerouted_now = co_await put_off(destination, std::move(readiness));
        if (!rerouted_now) co_return;
        // What may have been sent already follows once its peer has let go of it.
        Ready only_back;
        only_back.limits = {base::limits::kLeaseMessages, base::limits::kBatchRecipients,
                            base::limits::kLeaseBytes};
        only_back.call_back = why;
        co_await drain(destination, courier->second, std::move(only_back));
    } else {
        co_await put_off(destination, std::move(readiness));
    }
}

base::Task<base::Result<Lease>> Dispatcher::take(Destination destination, Ready ready) {
    std::function<base::Result<Lease>(Store&)> operation = [destination, ready](Store& store) {
        return lease(store, destination, ready);
    };
    base::Result<Committed<Lease>> leased = co_await storage_.write<Lease>(std::move(operation));
    if (!leased) co_return leased.error();
    Lease taken = leased->release();
    look_at(taken.woken);
    co_return taken;
}

base::Task<void> Dispatcher::drain(Destination destination, Courier* courier, Ready ready) {
    Entry& entry = entries_[destination];  // stays where it is while it is at work
    const auto pass = entry.pass = std::make_shared<Pass>(executor_);
    while (!stopping_ && !pass->is_silent()) {
        if (pass->under_way >= courier->concurrency()) {
            co_await pass->changed.wait(kLookAgain);
            continue;
        }
        entry.again = false;
        base::Result<Lease> leased = co_await take(destination, ready);
        if (!leased) {
            // The storage's own log line says why. Asked again at once, it would say the same.
            block(destination);
            break;
        }
        if (!leased->messages.empty()) {
            auto messages =
                std::make_shared<std::vector<LeasedMessage>>(std::move(leased->messages));
            ++pass->under_way;
            tasks_.spawn("delivery", [this, destination, courier, messages, pass] {
                return deliver(destination, courier, messages, pass);
            });
            continue;
        }
        // What is new is not for this peer any more.
        if (ready.call_back) break;
        // Mail that comes or becomes due now need not wait for the slowest delivery of this pass.
        const base::TimePoint next = leased->next.value_or(clock_.now() + kLookAgain);
        while (pass->under_way > 0 && !entry.again && clock_.now() < next)
            co_await pass->changed.wait(
                std::min<std::chrono::milliseconds>(kLookAgain, next - clock_.now()));
        if (!entry.again && pass->under_way == 0) break;
    }
    while (pass->under_way > 0)
        co_await pass->changed.wait(kLookAgain);
    entry.pass.reset();
    if (pass->reached) {
        entry.failures = 0;
        entry.blocked_until = {};
    } else if (pass->missed && !ready.call_back) {
        // A peer that can't be asked to let go of old mail must not hold what goes by SMTP now.
        block(destination);
    }
}

base::Task<void> Dispatcher::deliver(Destination destination, Courier* courier,
                                     std::shared_ptr<std::vector<LeasedMessage>> messages,
                                     std::shared_ptr<Pass> pass) {
    std::vector<MessageOutcome> outcomes;
    try {
        std::vector<LeasedMessage> handed = *messages;
        outcomes = co_await courier->deliver(destination, std::move(handed));
    } catch (const std::exception& error) {
        outcomes.clear();
        for (const LeasedMessage& message : *messages) {
            MessageOutcome outcome{message.id, {}, true};
            for (const auto& recipient : message.envelope.recipients)
                outcome.recipients.push_back({recipient.n, unknown_fault(error.what())});
            outcomes.push_back(std::move(outcome));
        }
        log::storage_failed("courier", error.what());
    }
    for (const MessageOutcome& outcome : outcomes) {
        for (const RecipientOutcome& each : outcome.recipients) {
            (is_silence(each.outcome) ? pass->missed : pass->reached) = true;
        }
    }
    co_await settle_all(std::move(outcomes));
    --pass->under_way;
    pass->changed.notify();
}

base::Task<bool> Dispatcher::settle_some(std::shared_ptr<std::vector<MessageOutcome>> outcomes) {
    std::function<base::Result<Woken>(Store&)> operation = [outcomes](Store& store) {
        return settle(store, *outcomes);
    };
    const base::Result<Committed<Woken>> settled =
        co_await storage_.write<Woken>(std::move(operation));
    if (settled) look_at(**settled);
    co_return settled.has_value();
}

base::Task<void> Dispatcher::settle_all(std::vector<MessageOutcome> outcomes) {
    const auto together = std::make_shared<std::vector<MessageOutcome>>(std::move(outcomes));
    const bool done = co_await settle_some(together);
    if (done) co_return;
    // One that can't be recorded must not undo what is known of the others.
    for (const MessageOutcome& each : *together) {
        const auto alone = std::make_shared<std::vector<MessageOutcome>>(1, each);
        bool recorded = co_await settle_some(alone);
        // The outcome is known and only has to be written: mail that was delivered would go out
        // twice if it were dropped. The disk may get room again; a stop ends the wait, and then the
        // recipients are found leased at the next start.
        while (!recorded && !stopping_) {
            co_await base::sleep_for(base::limits::kSettleAgain);
            recorded = co_await settle_some(alone);
        }
    }
}

base::TimePoint Dispatcher::block(const Destination& destination) {
    Entry& entry = entries_[destination];
    ++entry.failures;
    std::chrono::milliseconds wait = retry_.wait(entry.failures, random_);
    // A peer says when it is back. Our own MTA does not, and to ask it costs little.
    if (destination.lane != Lane::xmpp)
        wait = std::min<std::chrono::milliseconds>(wait, base::limits::kOwnMtaPause);
    entry.blocked_until = clock_.now() + wait;
    return entry.blocked_until;
}

base::Task<bool> Dispatcher::put_off(Destination destination, Readiness why) {
    const bool reroutes = std::holds_alternative<Rerouted>(why);
    const base::TimePoint until = reroutes ? base::TimePoint() : block(destination);
    std::function<base::Result<Woken>(Store&)> operation = [=](Store& store) {
        if (const auto* const rerouted = std::get_if<Rerouted>(&why))
            return reroute_destination(store, destination, *rerouted);
        return defer_destination(store, destination, std::get<Deferred>(why), until);
    };
    const base::Result<Committed<Woken>> done =
        co_await storage_.write<Woken>(std::move(operation));
    if (done) look_at(**done);
    // The storage's own log line says why.
    if (!done && reroutes) block(destination);
    co_return done.has_value();
}

}  // namespace queue
