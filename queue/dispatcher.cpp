#include "queue/dispatcher.hpp"

#include "base/limits.hpp"
#include "queue/fallback.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

/// The most that anything here waits without being called: a bound, not a schedule.
constexpr auto kLookAgain = std::chrono::minutes(1);

}  // namespace

Dispatcher::Dispatcher(base::asio::any_io_executor executor, StorageThread& storage,
                       RetryPolicy retry, const base::Clock& clock, base::Random& random)
    : executor_(executor),
      storage_(storage),
      retry_(retry),
      clock_(clock),
      agenda_(retry, clock, random),
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
        agenda_.expect(destination, at);
    tasks_.spawn("dispatcher", [this] { return schedule(); });
    co_return base::Result<void>();
}

base::Task<void> Dispatcher::stop() {
    stopping_ = true;
    changed_.notify();
    co_await tasks_.join();
}

void Dispatcher::arrived(const Destination& destination) {
    const auto pass = passes_.find(destination);
    if (pass != passes_.end()) return pass->second->more();
    agenda_.arrived(destination);
    changed_.notify();
}

void Dispatcher::peer_is_back(const std::string& peer) {
    sign_of_life(agenda_.all_are_silent() ? agenda_.silent() : agenda_.waiting_for(peer));
}

void Dispatcher::sign_of_life(std::vector<Destination> destinations) {
    std::erase_if(destinations, [this](const auto& each) { return !agenda_.may_wake(each); });
    for (const Destination& destination : destinations)
        agenda_.wake_by_sign(destination);
    start_waking(std::move(destinations));
}

void Dispatcher::link_is_up(const std::string& component) {
    start_waking(agenda_.sent_by(component));
}

void Dispatcher::flush(const std::vector<Destination>& destinations) {
    for (const Destination& destination : destinations) {
        agenda_.expect(destination, clock_.now());
        agenda_.wake(destination);
        const auto pass = passes_.find(destination);
        if (pass != passes_.end()) pass->second->more();
    }
    changed_.notify();
}

void Dispatcher::start_waking(std::vector<Destination> destinations) {
    if (destinations.empty()) return;
    // A pass that is under way may still come to the conclusion that nobody is there: it looks
    // again then.
    for (const Destination& destination : destinations)
        agenda_.wake(destination);
    const auto kept = std::make_shared<std::vector<Destination>>(std::move(destinations));
    tasks_.spawn("wake", [this, kept] { return wake(std::move(*kept)); });
}

base::Task<void> Dispatcher::wake(std::vector<Destination> destinations) {
    // One after the other, so that many are no burst.
    for (const Destination& destination : destinations) {
        if (stopping_) co_return;
        co_await wake_one(destination);
    }
}

base::Task<void> Dispatcher::wake_one(Destination destination) {
    std::function<base::Result<int>(Store&)> operation = [destination](Store& store) {
        return wake_destination(store, destination);
    };
    const base::Result<Committed<int>> woken = co_await storage_.write<int>(std::move(operation));
    if (!woken) co_return;
    const auto pass = passes_.find(destination);
    if (pass != passes_.end()) pass->second->more();
    agenda_.wake(destination);
    changed_.notify();
}

void Dispatcher::look_at(const Woken& destinations) {
    for (const Destination& destination : destinations)
        arrived(destination);
}

base::Task<void> Dispatcher::schedule() {
    while (!stopping_) {
        for (const Destination& destination : agenda_.start())
            tasks_.spawn("destination", [this, destination] { return work(destination); });
        const base::TimePoint now = clock_.now();
        next_look_ = agenda_.next().value_or(now + kLookAgain);
        co_await changed_.wait(std::min<std::chrono::milliseconds>(kLookAgain, next_look_ - now));
    }
}

base::Task<void> Dispatcher::work(Destination destination) {
    co_await attempt(destination);
    if (agenda_.is_to_be_woken(destination)) co_await wake_one(destination);
    using Next = std::optional<base::TimePoint>;
    std::function<base::Result<Next>(Store&)> look = [destination](Store& store) {
        return base::Result<Next>(next_due(store, destination));
    };
    const base::Result<Next> next = co_await storage_.read<Next>(std::move(look));
    // If the storage is out, its own log line says why. Look again later.
    agenda_.end(destination, next ? *next : clock_.now() + retry_.first);
    changed_.notify();
}

base::Task<void> Dispatcher::attempt(Destination destination) {
    const auto courier = couriers_.find(destination.lane);
    if (courier == couriers_.end()) {
        Deferred none{{451, {4, 3, 5}, "nothing is configured for this lane"}, "", false, {}};
        const base::TimePoint until = agenda_.missed(destination, none);
        co_await defer(destination, std::move(none), until);
        co_return;
    }
    if (const auto pause = agenda_.pause_of(destination)) {
        // Another destination has found out already.
        co_await defer(destination, pause->why, pause->until);
        co_return;
    }
    Readiness readiness = co_await courier->second->prepare(destination);
    if (auto* const ready = std::get_if<Ready>(&readiness)) {
        agenda_.heads_for(destination, ready->peer);
        co_await drain(destination, courier->second, std::move(*ready));
    } else if (const auto* const rerouted = std::get_if<Rerouted>(&readiness)) {
        const std::string why = rerouted->why;
        const bool goes_by_smtp = co_await reroute(destination, *rerouted);
        if (!goes_by_smtp) co_return;
        // What may have been sent already follows once its peer has let go of it.
        Ready only_back;
        only_back.limits = {base::limits::kLeaseMessages, base::limits::kBatchRecipients,
                            base::limits::kLeaseBytes};
        only_back.call_back = why;
        co_await drain(destination, courier->second, std::move(only_back));
    } else {
        Deferred why = std::get<Deferred>(readiness);
        agenda_.heads_for(destination, why.remote);
        const base::TimePoint until = agenda_.missed(destination, why);
        co_await defer(destination, std::move(why), until);
    }
}

base::Task<void> Dispatcher::drain(Destination destination, Courier* courier, Ready ready) {
    const bool calls_back = ready.call_back.has_value();
    Pass::Surroundings around{executor_,
                              storage_,
                              clock_,
                              tasks_,
                              stopping_,
                              [this](const Woken& woken) { look_at(woken); },
                              [this] { return agenda_.is_crowded(); }};
    const auto pass =
        std::make_shared<Pass>(std::move(around), destination, *courier, std::move(ready));
    passes_.insert_or_assign(destination, pass);
    co_await pass->run();
    passes_.erase(destination);
    const Pass::Findings& found = pass->findings();
    if (found.reached) {
        const auto all = agenda_.all_are_silent() ? agenda_.silent() : std::vector<Destination>();
        agenda_.reached(destination);
        sign_of_life(all);
    } else if (found.missed && !calls_back) {
        // A peer that can't be asked to let go of old mail must not hold what goes by SMTP now.
        agenda_.missed(destination, *found.missed);
    } else if (found.storage_failed) {
        agenda_.failed(destination);
    }
}

base::Task<void> Dispatcher::defer(Destination destination, Deferred why, base::TimePoint until) {
    std::function<base::Result<Woken>(Store&)> operation = [=](Store& store) {
        return defer_destination(store, destination, why, until);
    };
    const base::Result<Committed<Woken>> done =
        co_await storage_.write<Woken>(std::move(operation));
    if (done) look_at(**done);
}

base::Task<bool> Dispatcher::reroute(Destination destination, Rerouted why) {
    std::function<base::Result<RerouteResult>(Store&)> operation = [=](Store& store) {
        return reroute_destination(store, destination, why);
    };
    const base::Result<Committed<RerouteResult>> done =
        co_await storage_.write<RerouteResult>(std::move(operation));
    if (done) look_at((*done)->woken);
    // The storage's own log line says why.
    if (!done) agenda_.failed(destination);
    co_return done && !(*done)->required;
}

}  // namespace queue
