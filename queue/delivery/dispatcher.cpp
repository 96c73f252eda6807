#include "queue/delivery/dispatcher.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

/// The most that anything here waits without being called: a bound, not a schedule.
constexpr auto kLookAgain = std::chrono::minutes(1);
constexpr std::size_t kSlice = 200;  // destinations that one turn of the loop wakes
constexpr std::size_t kStarts = 20;  // looks that one turn of the loop begins
// Destinations that are read at once, at the start: a millisecond, in which no mail is written.
constexpr std::size_t kPage = 50;

}  // namespace

Dispatcher::Dispatcher(base::asio::any_io_executor executor, StorageThread& storage,
                       RetryPolicy retry, const base::Clock& clock, base::Random& random)
    : executor_(executor),
      storage_(storage),
      retry_(retry),
      clock_(clock),
      random_(random),
      agenda_(retry, clock, random),
      changed_(executor),
      tasks_(executor) {}

base::Task<base::Result<void>> Dispatcher::start() {
    const base::Result<std::optional<std::int64_t>> next = co_await read_page(0);
    if (!next) co_return next.error();
    reading_ = next->has_value();
    if (*next) tasks_.spawn("start", [this, after = **next] { return read_rest(after); });
    tasks_.spawn("dispatcher", [this] { return schedule(); });
    co_return base::Result<void>();
}

base::Task<base::Result<std::optional<std::int64_t>>> Dispatcher::read_page(std::int64_t after) {
    ReadDueDestinations read{after, kPage};
    const base::Result<DuePage> page = co_await storage_.read(std::move(read));
    if (!page) co_return page.error();
    for (const DueDestination& each : page->destinations)
        agenda_.expect(each.destination, each.due);
    co_return page->next;
}

base::Task<void> Dispatcher::read_rest(std::int64_t after) {
    std::optional<std::int64_t> next = after;
    while (next && !stopping_) {
        const base::Result<std::optional<std::int64_t>> read = co_await read_page(*next);
        changed_.notify();
        if (read) {
            next = *read;
            continue;
        }
        // The storage's own log line says why. What waits is not forgotten.
        co_await base::sleep_for(base::limits::kSettleAgain);
    }
    reading_ = false;
    // What was read since was not woken.
    for (const std::string& component : std::exchange(up_meanwhile_, {}))
        link_is_up(component);
    for (const std::string& component : std::exchange(changed_meanwhile_, {}))
        lane_changed(component);
    for (const Destination& destination : std::exchange(left_meanwhile_, {}))
        peer_has_left(destination);
}

base::Task<void> Dispatcher::stop() {
    stopping_ = true;
    changed_.notify();
    co_await tasks_.join();
}

void Dispatcher::arrived(const Destination& destination) {
    const auto run = runs_.find(destination);
    if (run != runs_.end()) return run->second->more();
    agenda_.arrived(destination);
    changed_.notify();
}

void Dispatcher::peer_is_back(const std::string& peer) {
    if (agenda_.all_are_silent()) return wake_silent();
    // After a restart it is not yet known who serves a domain: those are tried, too.
    for (const std::string& waited_for : {peer, std::string()}) {
        walk(
            "peer " + waited_for,
            [this, waited_for](const auto& after) {
                return agenda_.behind_peer(waited_for, after, kSlice);
            },
            [this](const auto& destination) {
                if (agenda_.waits(destination)) wake_by_sign(destination);
            });
    }
}

void Dispatcher::wake_silent() {
    walk(
        "silent", [this](const auto& after) { return agenda_.silent(after, kSlice); },
        [this](const auto& destination) { wake_by_sign(destination); });
}

void Dispatcher::expect_links(std::set<std::string> components, std::chrono::milliseconds most) {
    links_to_come_ = std::move(components);
    if (!links_to_come_.empty()) agenda_.hold_peers_until(clock_.steady() + most);
}

void Dispatcher::link_is_up(const std::string& component) {
    if (links_to_come_.erase(component) > 0 && links_to_come_.empty())
        agenda_.hold_peers_until(clock_.steady());
    if (reading_) up_meanwhile_.insert(component);
    walk(
        "link " + component,
        [this, component](const auto& after) { return agenda_.sent_by(component, after, kSlice); },
        [this](const auto& destination) { wake(destination); });
}

void Dispatcher::peer_has_left(const Destination& destination) {
    if (reading_) left_meanwhile_.insert(destination);
    agenda_.wake_for_good(destination);
    wake(destination);
    changed_.notify();
}

void Dispatcher::lane_changed(const std::string& component) {
    if (reading_) changed_meanwhile_.insert(component);
    walk(
        "lane " + component,
        [this, component](const auto& after) { return agenda_.sent_by(component, after, kSlice); },
        [this](const auto& destination) {
            agenda_.wake_for_good(destination);
            wake(destination);
        });
}

void Dispatcher::walk(const std::string& name, Slices slices, Each each) {
    const auto [place, is_new] = walks_.try_emplace(name, false);
    place->second = !is_new;
    if (!is_new) return;
    tasks_.spawn("wake", [this, name, slices = std::move(slices), each = std::move(each)] {
        return walk_through(name, slices, each);
    });
}

base::Task<void> Dispatcher::walk_through(std::string name, Slices slices, Each each) {
    Agenda::After after;
    for (bool more = true; more && !stopping_;) {
        const std::vector<Destination> slice = slices(after);
        for (const Destination& destination : slice)
            each(destination);
        changed_.notify();
        more = slice.size() >= kSlice;
        if (more) after = slice.back();
        if (!more && std::exchange(walks_.at(name), false)) {
            after.reset();
            more = true;
        }
        if (more) co_await base::sleep_for(std::chrono::milliseconds(0));
    }
    walks_.erase(name);
}

void Dispatcher::wake_by_sign(const Destination& destination) {
    if (!agenda_.may_wake(destination)) return;
    agenda_.wake_by_sign(destination);
    wake(destination);
}

void Dispatcher::wake(const Destination& destination) {
    agenda_.wake(destination);
    if (runs_.contains(destination)) make_due_beside(destination);
}

void Dispatcher::flush(const std::vector<Destination>& destinations) {
    for (const Destination& destination : destinations) {
        agenda_.expect(destination, clock_.now());
        agenda_.try_now(destination);
        const auto run = runs_.find(destination);
        if (run != runs_.end()) run->second->more();
    }
    changed_.notify();
}

template <class Op>
base::Task<bool> Dispatcher::in_steps(Op step,
                                      std::function<void(const typename Op::Answer&)> each) {
    for (std::optional<WaitingPlace> behind = step.behind; behind && !stopping_;) {
        step.behind = *behind;
        const auto done = co_await storage_.delivery_step(step);
        // The storage's own log line says why.
        if (!done) co_return false;
        look_at((*done)->due_now);
        behind = (*done)->next;
        if (each) each(**done);
    }
    co_return !stopping_;
}

void Dispatcher::make_due_beside(const Destination& destination) {
    const auto [place, is_new] = made_due_.try_emplace(destination, false);
    place->second = !is_new;
    if (is_new) tasks_.spawn("wake", [this, destination] { return make_due_again(destination); });
}

base::Task<void> Dispatcher::make_due_again(Destination destination) {
    do {
        made_due_.at(destination) = false;
        const int due = co_await make_due(destination);
        if (due > 0) arrived(destination);
    } while (made_due_.at(destination) && !stopping_);
    made_due_.erase(destination);
}

base::Task<int> Dispatcher::make_due(Destination destination) {
    int due = 0;
    // Not while mail is out, which this does not see: the look after that does.
    const bool all = !runs_.contains(destination) && agenda_.has_left(destination);
    MakeDue make_due{destination, {}, all};
    std::function<void(const Stepped&)> add = [&due](const Stepped& step) { due += step.changed; };
    const bool done = co_await in_steps(std::move(make_due), std::move(add));
    if (done && all) agenda_.forget_left(destination);
    co_return due;
}

void Dispatcher::look_at(const DueNow& destinations) {
    for (const Destination& destination : destinations)
        arrived(destination);
}

base::Task<void> Dispatcher::schedule() {
    while (!stopping_) {
        for (const Destination& destination : agenda_.start(kStarts))
            tasks_.spawn("destination", [this, destination] { return work(destination); });
        const base::SteadyPoint now = clock_.steady();
        next_look_ = agenda_.next().value_or(now + kLookAgain);
        co_await changed_.wait(std::min<std::chrono::milliseconds>(kLookAgain, next_look_ - now));
    }
}

base::Task<void> Dispatcher::work(Destination destination) {
    if (agenda_.take_wake(destination)) co_await make_due(destination);
    co_await attempt(destination);
    if (agenda_.take_wake_after(destination)) {
        // New mail does not stand in the line of steps, behind those of all that waits.
        const bool beside =
            agenda_.is_fresh(destination) && made_due_.size() < base::limits::kDestinationsAtWork;
        if (beside)
            make_due_beside(destination);
        else
            co_await make_due(destination);
        agenda_.try_now(destination);  // whatever this look has found
    }
    FindNextDue find{destination};
    const auto next = co_await storage_.read(std::move(find));
    // If the storage is out, its own log line says why. Look again later.
    agenda_.end(destination, next ? *next : clock_.now() + retry_.first);
    changed_.notify();
}

base::Task<void> Dispatcher::attempt(Destination destination) {
    const auto courier = couriers_.find(destination.lane);
    if (courier == couriers_.end()) {
        Deferred none{{451, {4, 3, 5}, "nothing is configured for this lane"}, "", false, {}};
        const base::TimePoint until = agenda_.missed(destination, none);
        Silence silence{std::move(none), until, clock_.now()};
        co_await defer(destination, std::move(silence));
        co_return;
    }
    if (auto pause = agenda_.pause_of(destination)) {
        // Another destination has found out already.
        co_await defer(destination, std::move(*pause));
        co_return;
    }
    const Urgency urgency = agenda_.is_fresh(destination) ? Urgency::fresh : Urgency::waiting;
    Readiness readiness = co_await courier->second->prepare(destination, urgency);
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
        Silence silence{std::move(why), until, clock_.now()};
        co_await defer(destination, std::move(silence));
    }
}

base::Task<void> Dispatcher::drain(Destination destination, Courier* courier, Ready ready) {
    const bool calls_back = ready.call_back.has_value();
    DeliveryRun::Surroundings around{executor_,
                                     storage_,
                                     clock_,
                                     tasks_,
                                     stopping_,
                                     [this](const DueNow& due_now) { look_at(due_now); },
                                     [this] { return agenda_.is_crowded(); }};
    const auto run =
        std::make_shared<DeliveryRun>(std::move(around), destination, *courier, std::move(ready));
    runs_.insert_or_assign(destination, run);
    co_await run->run();
    runs_.erase(destination);
    const DeliveryRun::Findings& found = run->findings();
    if (found.reached) {
        const bool all = agenda_.all_are_silent();
        agenda_.reached(destination);
        if (all) wake_silent();
    } else if (found.missed && !calls_back) {
        // A peer that can't be asked to let go of old mail must not hold what goes by SMTP now.
        const base::TimePoint until = agenda_.missed(destination, *found.missed);
        // What was not given out waits for the same reason.
        Silence silence{*found.missed, until, clock_.now()};
        co_await defer(destination, std::move(silence));
    } else if (found.storage_failed) {
        agenda_.failed(destination);
    }
}

base::Task<void> Dispatcher::defer(Destination destination, Silence silence) {
    std::int64_t count = 0;
    PutOff put_off{destination, silence, {}};
    std::function<void(const Stepped&)> add = [&count](const Stepped& step) {
        count += step.changed;
    };
    co_await in_steps(std::move(put_off), std::move(add));
    if (count > 0) log::destination_deferred(destination, silence.why.reply, count, silence.until);
}

base::Task<bool> Dispatcher::reroute(Destination destination, Rerouted why) {
    std::optional<Deferred> waits;
    Reroute reroute{destination, why.why, {}};
    std::function<void(const RerouteStep&)> look = [&waits](const RerouteStep& step) {
        // Of the first steps, should the policy change meanwhile.
        if (step.waits) waits = step.waits;
    };
    const bool all = co_await in_steps(std::move(reroute), std::move(look));
    if (!all) {
        if (!stopping_) agenda_.failed(destination);
        co_return false;
    }
    if (!waits) co_return true;
    const auto wait = retry_.wait(1, random_);
    Silence silence{std::move(*waits), clock_.now() + wait, clock_.now()};
    co_await defer(destination, std::move(silence));
    co_return false;
}

}  // namespace queue
