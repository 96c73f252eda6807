#include "queue/peers/promise_book.hpp"

#include <algorithm>

namespace queue {
namespace {

constexpr std::size_t kLoadedPromises = 500;  // rows that are read in one step
// A promise that counts is read again after so long, or after half of the time that it holds for.
constexpr std::chrono::hours kRenewed{3 * 24};
constexpr std::chrono::hours kAskedAgain{1};  // at the earliest

/// When the form has to be read again.
base::TimePoint due_at(const PeerPromise& promise) {
    if (!promise.counts) return promise.first_read + kPromiseProof;
    const auto half = (promise.until - promise.last_read) / 2;
    return promise.last_read + std::min<std::chrono::milliseconds>(kRenewed, half);
}

}  // namespace

PromiseBook::PromiseBook(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust,
                         std::string sole, Tell tell)
    : storage_(storage),
      clock_(clock),
      trust_(trust),
      sole_(std::move(sole)),
      tell_(std::move(tell)),
      accepted_(trust.look().times_accepted) {}

base::Task<base::Result<void>> PromiseBook::load() {
    std::string after;
    for (;;) {
        LoadPromises load{after, kLoadedPromises};
        auto promises = co_await storage_.read(std::move(load));
        if (!promises) co_return promises.error();
        if (promises->empty()) break;
        after = promises->back().domain.ascii();
        for (auto& promise : *promises)
            entries_.try_emplace(promise.domain, promise);
    }
    publish();
    co_return base::Result<void>();
}

base::TimePoint PromiseBook::now() {
    const auto state = trust_.look();
    const base::TimePoint now = state.corrected(clock_.now());
    if (std::exchange(accepted_, state.times_accepted) == state.times_accepted) return now;
    for (const PeerPromise& before : list()) {
        auto after = after_clock_change(before, now);
        if (!after)
            drop(before.domain);
        else if (*after != before)
            set(std::move(*after));
    }
    publish();
    return now;
}

void PromiseBook::form_read(const FormReading& reading) {
    const base::TimePoint time = now();
    const auto found = entries_.find(reading.domain);
    std::optional<PeerPromise> known;
    if (found != entries_.end()) known = found->second.promise;
    const bool is_believed = trust_.look().plausible();
    PromiseRead read = after_reading(known, reading, time, is_believed);
    if (!read.promise) {
        if (!known) return;
        drop(reading.domain);
        publish();
        return tell_(PromiseNews::withdrawn, *known);
    }
    const bool had_verdict = reading.verified && reading.had_mail && !sole_.empty();
    if (had_verdict) read.promise->bound.insert(sole_);
    if (!known && !make_room(reading.domain, time)) return;
    if (read.promise != known) set(*read.promise);
    if (reading.verified && reading.until) entries_.at(reading.domain).confirmed = clock_.steady();
    publish();
    if (read.news != PromiseNews::nothing) tell_(read.news, *read.promise);
}

void PromiseBook::verdict_given(const mail::Domain& domain, const std::string& component) {
    const auto found = entries_.find(domain);
    if (found == entries_.end() || found->second.promise.binds(component)) return;
    PeerPromise promise = found->second.promise;
    promise.bound.insert(component);
    set(std::move(promise));
    publish();
}

void PromiseBook::set_retired(const std::string& component, bool retired) {
    if (retired)
        retired_.insert(component);
    else
        retired_.erase(component);
    publish();
}

bool PromiseBook::forget(const mail::Domain& domain) {
    if (!entries_.contains(domain)) return false;
    drop(domain);
    publish();
    return true;
}

void PromiseBook::sweep() {
    const base::TimePoint time = now();
    if (!trust_.look().plausible()) return;
    for (const PeerPromise& promise : list()) {
        if (promise.until <= time) drop(promise.domain);
    }
    publish();
}

const PeerPromise* PromiseBook::find(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? nullptr : &found->second.promise;
}

bool PromiseBook::stands(const mail::Domain& domain, const std::string& component) {
    const base::TimePoint time = now();
    const PeerPromise* const promise = find(domain);
    return promise != nullptr && promise->stands(time) && promise->binds(component) &&
           !retired_.contains(component);
}

std::optional<base::SteadyPoint> PromiseBook::confirmed(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? std::nullopt : found->second.confirmed;
}

std::vector<PeerPromise> PromiseBook::list() const {
    std::vector<PeerPromise> promises;
    promises.reserve(entries_.size());
    for (const auto& [domain, entry] : entries_)
        promises.push_back(entry.promise);
    return promises;
}

std::set<mail::Domain> PromiseBook::standing() {
    const base::TimePoint time = now();
    std::set<mail::Domain> domains;
    for (const auto& [domain, entry] : entries_) {
        if (entry.promise.stands(time) && !bound_of(entry.promise).empty()) domains.insert(domain);
    }
    return domains;
}

std::optional<mail::Domain> PromiseBook::due() {
    const base::TimePoint time = now();
    const base::SteadyPoint steady = clock_.steady();
    Entry* next = nullptr;
    for (auto& [domain, entry] : entries_) {
        const bool rests = entry.asked && steady - *entry.asked < kAskedAgain;
        if (rests || entry.promise.bound.empty() || due_at(entry.promise) > time) continue;
        if (next == nullptr || due_at(entry.promise) < due_at(next->promise)) next = &entry;
    }
    if (next == nullptr) return std::nullopt;
    next->asked = steady;
    return next->promise.domain;
}

bool PromiseBook::concerns(const mail::Domain& sender, const std::string& component) const {
    std::shared_ptr<const Bound> bound;
    {
        const std::lock_guard lock(mutex_);
        bound = bound_;
    }
    const auto found = bound->find(sender);
    return found != bound->end() && found->second.contains(component);
}

void PromiseBook::set(PeerPromise promise) {
    storage_.later(KeepPromise{promise});
    Entry& entry = entries_.try_emplace(promise.domain, promise).first->second;
    entry.promise = std::move(promise);
}

void PromiseBook::drop(const mail::Domain& domain) {
    storage_.later(ForgetPromise{domain});
    entries_.erase(domain);
}

/// False if there is none for another one.
bool PromiseBook::make_room(const mail::Domain& domain, base::TimePoint now) {
    const auto organisation = mail::Organisation::of(domain.ascii());
    std::size_t siblings = 0;
    const PeerPromise* worst = nullptr;
    const auto worth = [&](const PeerPromise& promise) {
        return std::tuple(now < promise.until, !promise.bound.empty(), promise.counts,
                          promise.last_read);
    };
    for (const auto& [name, entry] : entries_) {
        if (entry.organisation == organisation) ++siblings;
        if (worst == nullptr || worth(entry.promise) < worth(*worst)) worst = &entry.promise;
    }
    if (siblings >= kPromisesOfOrganisation) return false;
    if (entries_.size() < kPromises) return true;
    if (worst->counts && !worst->bound.empty() && now < worst->until) return false;
    drop(mail::Domain(worst->domain));
    return true;
}

void PromiseBook::publish() {
    auto bound = std::make_shared<Bound>();
    for (const auto& [domain, entry] : entries_) {
        if (!entry.promise.counts) continue;
        auto components = bound_of(entry.promise);
        if (!components.empty()) bound->emplace(domain, std::move(components));
    }
    const std::lock_guard lock(mutex_);
    bound_ = std::move(bound);
}

std::set<std::string> PromiseBook::bound_of(const PeerPromise& promise) const {
    std::set<std::string> bound = promise.bound;
    std::erase_if(bound, [&](const std::string& each) { return retired_.contains(each); });
    return bound;
}

}  // namespace queue
