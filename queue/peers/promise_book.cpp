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
                         std::map<mail::Domain, std::string> ours, Tell tell)
    : storage_(storage),
      clock_(clock),
      trust_(trust),
      ours_(std::move(ours)),
      tell_(std::move(tell)),
      accepted_(trust.look().times_accepted) {
    publish();
}

base::Task<base::Result<void>> PromiseBook::load() {
    std::string after;
    for (;;) {
        LoadPromises load{after, kLoadedPromises};
        auto promises = co_await storage_.read(std::move(load));
        if (!promises) co_return promises.error();
        if (promises->empty()) break;
        after = promises->back().domain.ascii();
        for (PeerPromise& promise : *promises) {
            // What is ours no more takes no room.
            std::erase_if(promise.bound,
                          [this](const mail::Domain& each) { return !ours_.contains(each); });
            entries_.try_emplace(promise.domain, promise);
        }
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
    if (found != entries_.end()) known = *found->second.promise;
    const bool is_believed = trust_.look().plausible();
    PromiseRead read = after_reading(known, reading, time, is_believed);
    if (!read.promise) {
        if (!known) return;
        drop(reading.domain);
        publish();
        return tell_(PromiseNews::withdrawn, *known);
    }
    const bool had_verdict = reading.verified && reading.had_mail && ours_.size() == 1;
    if (had_verdict) read.promise->bind(ours_.begin()->first);
    if (!known && !make_room(reading.domain, time)) return;
    if (read.promise != known) set(*read.promise);
    if (reading.verified && reading.until) entries_.at(reading.domain).confirmed = clock_.steady();
    publish();
    if (read.news != PromiseNews::nothing) tell_(read.news, *read.promise);
}

void PromiseBook::verdict_given(const mail::Domain& domain,
                                const std::set<mail::Domain>& recipients) {
    const auto found = entries_.find(domain);
    if (found == entries_.end()) return;
    PeerPromise promise = *found->second.promise;
    for (const mail::Domain& recipient : recipients)
        promise.bind(recipient);
    if (promise == *found->second.promise) return;
    set(std::move(promise));
    publish();
}

void PromiseBook::set_retired(const std::string& component, bool retired) {
    std::set<mail::Domain> domains = *retired_;
    for (const auto& [domain, served_by] : ours_) {
        if (served_by != component) continue;
        if (retired)
            domains.insert(domain);
        else
            domains.erase(domain);
    }
    retired_ = std::make_shared<const std::set<mail::Domain>>(std::move(domains));
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
    for (auto next = entries_.begin(); next != entries_.end();) {
        const auto promise = (next++)->second.promise;
        if (promise->until <= time) drop(promise->domain);
    }
    publish();
}

const PeerPromise* PromiseBook::find(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? nullptr : found->second.promise.get();
}

bool PromiseBook::stands(const mail::Domain& domain, const mail::Domain& recipient) {
    const base::TimePoint time = now();
    const PeerPromise* const promise = find(domain);
    return promise != nullptr && promise->stands(time) && promise->binds(recipient) &&
           !retired_->contains(recipient);
}

std::optional<base::SteadyPoint> PromiseBook::confirmed(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? std::nullopt : found->second.confirmed;
}

std::vector<PeerPromise> PromiseBook::list() const {
    std::vector<PeerPromise> promises;
    promises.reserve(entries_.size());
    for (const auto& [domain, entry] : entries_)
        promises.push_back(*entry.promise);
    return promises;
}

std::set<mail::Domain> PromiseBook::standing() {
    const base::TimePoint time = now();
    std::set<mail::Domain> domains;
    for (const auto& [domain, entry] : entries_) {
        const bool binds = !std::ranges::includes(*retired_, entry.promise->bound);
        if (binds && entry.promise->stands(time)) domains.insert(domain);
    }
    return domains;
}

std::optional<mail::Domain> PromiseBook::due() {
    const base::TimePoint time = now();
    const base::SteadyPoint steady = clock_.steady();
    Entry* next = nullptr;
    for (auto& [domain, entry] : entries_) {
        const bool rests = entry.asked && steady - *entry.asked < kAskedAgain;
        const PeerPromise& promise = *entry.promise;
        if (rests || promise.bound.empty() || due_at(promise) > time) continue;
        if (next == nullptr || due_at(promise) < due_at(*next->promise)) next = &entry;
    }
    if (next == nullptr) return std::nullopt;
    next->asked = steady;
    return next->promise->domain;
}

bool PromiseBook::concerns(const mail::Domain& sender, const mail::Domain& recipient) const {
    std::shared_ptr<const Published> published;
    {
        const std::lock_guard lock(mutex_);
        published = published_;
    }
    const auto found = published->promises.find(sender);
    return found != published->promises.end() && found->second->binds(recipient) &&
           !published->retired->contains(recipient);
}

void PromiseBook::set(PeerPromise promise) {
    storage_.later(KeepPromise{promise});
    Entry& entry = entries_.try_emplace(promise.domain, promise).first->second;
    entry.promise = std::make_shared<const PeerPromise>(std::move(promise));
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
        if (worst == nullptr || worth(*entry.promise) < worth(*worst)) worst = entry.promise.get();
    }
    if (siblings >= kPromisesOfOrganisation) return false;
    if (entries_.size() < kPromises) return true;
    if (worst->counts && !worst->bound.empty() && now < worst->until) return false;
    drop(mail::Domain(worst->domain));
    return true;
}

void PromiseBook::publish() {
    auto published = std::make_shared<Published>();
    published->retired = retired_;
    for (const auto& [domain, entry] : entries_) {
        const bool is_worth_a_look = entry.promise->counts && !entry.promise->bound.empty();
        if (is_worth_a_look) published->promises.emplace(domain, entry.promise);
    }
    const std::lock_guard lock(mutex_);
    published_ = std::move(published);
}

}  // namespace queue
