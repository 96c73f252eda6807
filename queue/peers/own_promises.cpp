#include "queue/peers/own_promises.hpp"

#include "queue/log.hpp"

#include <algorithm>

namespace queue {
namespace {

using std::chrono::hours;

// Peers of one component that are remembered. Who is not is asked nothing when a promise is
// withdrawn: a receiver reads the form afresh before it refuses.
constexpr std::size_t kTold = 10'000;
constexpr std::size_t kToldPage = 500;  // read at once, at the start
constexpr std::size_t kReminded = 20;   // each minute, of those that have not read a withdrawal
constexpr std::size_t kForgotten =
    500;                                // each minute, of those that hold nothing for true any more
constexpr auto kToldEvery = hours(24);  // what is on the disk of that may be so old
// What is on the disk is ahead of what is announced by so much at most, so that it is not written
// each minute ...
constexpr auto kAhead = hours(2);
// ... and at least.
constexpr auto kMargin = hours(1);

}  // namespace

OwnPromises::OwnPromises(StorageThread& storage, const base::Clock& clock, base::ClockTrust& trust,
                         std::shared_ptr<OwnBonds> bonds, Calls calls)
    : storage_(storage),
      clock_(clock),
      trust_(trust),
      bonds_(std::move(bonds)),
      calls_(std::move(calls)) {}

base::Task<base::Result<void>> OwnPromises::load() {
    const LoadOwnPromises load;
    auto promises = co_await storage_.read(load);
    if (!promises) co_return promises.error();
    for (OwnPromise& promise : *promises) {
        const std::string component = promise.component;
        entries_[component].promise = std::move(promise);
    }
    LoadTold page{{}, kToldPage};
    for (bool more = true; more;) {
        LoadTold next = page;
        const auto some = co_await storage_.read(std::move(next));
        if (!some) co_return some.error();
        for (const Told& told : *some) {
            const auto entry = entries_.find(told.component);
            if (entry != entries_.end()) entry->second.told.emplace(told.peer, told.at);
        }
        more = some->size() >= kToldPage;
        if (more) page.after = some->back();
    }
    for (auto& [component, entry] : entries_) {
        // Before the crash, or the stop, it was perhaps announced, and for fewer domains than
        // before.
        announced_[component] = true;
        entry.narrowed = clock_.now();
        publish(component);
    }
    co_return base::Result<void>();
}

const PromiseTerms* OwnPromises::terms_of(const std::string& component) const {
    if (off_ || retired_.contains(component)) return nullptr;
    const auto found = terms_.find(component);
    return found == terms_.end() ? nullptr : &found->second;
}

std::set<std::string> OwnPromises::components() const {
    std::set<std::string> all;
    for (const auto& [component, terms] : terms_)
        all.insert(component);
    for (const auto& [component, entry] : entries_)
        all.insert(component);
    return all;
}

void OwnPromises::configure(std::map<std::string, PromiseTerms> terms) {
    const auto before = std::exchange(terms_, std::move(terms));
    configured_ = true;
    for (const auto& [component, wanted] : terms_) {
        const auto was = before.find(component);
        // Other domains, or another time, are for its peers to read; renew() writes them down.
        const bool is_other = was != before.end() && was->second != wanted;
        if (!is_other) continue;
        const auto entry = entries_.find(component);
        if (entry != entries_.end()) entry->second.narrowed = clock_.now();
        if (announced_[component]) calls_.changed(component);
    }
    look_at_all();
}

void OwnPromises::set_retired(const std::string& component, bool retired) {
    if (retired)
        retired_.insert(component);
    else
        retired_.erase(component);
    look(component);
}

void OwnPromises::set_off(bool off) {
    off_ = off;
    look_at_all();
}

void OwnPromises::look_at_all() {
    for (const std::string& component : components())
        look(component);
}

void OwnPromises::look(const std::string& component) {
    const auto entry = entries_.find(component);
    if (entry == entries_.end() || !configured_) return;  // renew() begins it
    const bool announces = terms_of(component) != nullptr;
    publish(component);
    if (std::exchange(announced_[component], announces) != announces) {
        if (announces)
            log::own_promise_announced(component, entry->second.promise.until);
        else
            log::own_promise_withdrawn(component, entry->second.promise.until,
                                       entry->second.told.size());
        calls_.changed(component);
        // What others were not told holds no longer at all.
        if (!announces) calls_.released(component, "");
    }
    if (!announces && entry->second.told.empty()) end(component);
}

void OwnPromises::publish(const std::string& component) {
    const Entry& entry = entries_.at(component);
    std::set<std::string, std::less<>> unread;
    for (const auto& [peer, at] : entry.told)
        unread.insert(peer);
    bonds_->promise(component, entry.promise.domains, terms_of(component) != nullptr,
                    std::move(unread));
}

void OwnPromises::end(std::string component) {
    log::own_promise_ended(component);
    entries_.erase(component);
    announced_.erase(component);
    bonds_->end(component);
    storage_.later(EndOwnPromise{component});
    calls_.released(component, "");
}

base::Task<void> OwnPromises::renew() {
    end_what_is_over();
    remind_some();
    if (!trust_.look().plausible()) co_return;
    forget_some();
    for (const std::string& component : components())
        co_await renew_one(component);
}

base::Task<void> OwnPromises::renew_one(std::string component) {
    const PromiseTerms* const terms = terms_of(component);
    if (terms == nullptr) co_return;
    const OwnPromise promise = renewed(component, *terms);
    const auto found = entries_.find(component);
    const bool is_new = found == entries_.end();
    if (!is_new && found->second.promise == promise) co_return;
    SetOwnPromise set{promise};
    const auto done = co_await storage_.write(std::move(set));
    // The storage's own log line says why.
    if (!done) co_return;
    Entry& entry = entries_[component];
    const bool is_wider = entry.promise.domains.size() < promise.domains.size();
    entry.promise = promise;
    // Its peers were told to look when what is promised now was not on the disk.
    if (is_wider && !is_new && announced_[component]) calls_.changed(component);
    look(component);
}

OwnPromise OwnPromises::renewed(const std::string& component, const PromiseTerms& terms) const {
    const base::TimePoint needed = clock_.now() + terms.lasts + kMargin;
    OwnPromise promise{component, {}, needed - kMargin + kAhead};
    for (const mail::Domain& domain : terms.domains)
        promise.domains.insert(domain.ascii());
    const auto found = entries_.find(component);
    if (found == entries_.end()) return promise;
    const Entry& entry = found->second;
    const OwnPromise& kept = entry.promise;
    const bool was_told = std::ranges::any_of(
        entry.told, [&](const auto& told) { return told.second < entry.narrowed; });
    if (was_told) promise.domains.insert(kept.domains.begin(), kept.domains.end());
    // A shorter time does not take back what was announced before.
    promise.until = kept.until >= needed ? kept.until : std::max(promise.until, kept.until);
    return promise;
}

void OwnPromises::forget_some() {
    const base::TimePoint oldest = clock_.now() - kLongest - kToldEvery;
    std::size_t left = kForgotten;
    for (const std::string& component : components()) {
        const auto entry = entries_.find(component);
        if (entry == entries_.end()) continue;
        std::vector<std::string> gone;
        for (const auto& [peer, at] : entry->second.told) {
            if (gone.size() < left && at < oldest) gone.push_back(peer);
        }
        left -= gone.size();
        for (const std::string& peer : gone)
            has_read(component, peer);
    }
}

void OwnPromises::end_what_is_over() {
    if (!trust_.look().plausible()) return;
    const base::TimePoint now = clock_.now();
    for (const std::string& component : components()) {
        const auto entry = entries_.find(component);
        if (entry == entries_.end() || terms_of(component) != nullptr) continue;
        // A clock that was ahead has written down what no peer keeps for so long.
        OwnPromise& promise = entry->second.promise;
        if (promise.until > now + kLongest + kAhead) {
            promise.until = now + kLongest + kAhead;
            storage_.later(SetOwnPromise{promise});
        }
        if (promise.until <= now) end(component);
    }
}

void OwnPromises::remind_some() {
    for (auto& [component, entry] : entries_) {
        if (terms_of(component) != nullptr) continue;
        auto next = entry.told.upper_bound(entry.reminded);
        if (next == entry.told.end()) next = entry.told.begin();
        for (std::size_t i = 0; i < kReminded && next != entry.told.end(); ++i, ++next) {
            entry.reminded = next->first;
            calls_.unread(component, next->first);
        }
    }
}

std::optional<Announcement> OwnPromises::says(const std::string& component) const {
    const auto found = entries_.find(component);
    const PromiseTerms* const terms = terms_of(component);
    if (found == entries_.end() || terms == nullptr) return std::nullopt;
    const OwnPromise& kept = found->second.promise;
    Announcement says{{}, std::min(clock_.now() + terms->lasts, kept.until)};
    for (const mail::Domain& domain : terms->domains) {
        if (kept.domains.contains(domain.ascii())) says.domains.push_back(domain);
    }
    if (says.domains.empty()) return std::nullopt;
    return says;
}

void OwnPromises::told(const std::string& component, const std::string& peer, bool known,
                       bool promised) {
    const auto found = entries_.find(component);
    if (found == entries_.end()) return;
    if (!promised) return has_read(component, peer);
    Entry& entry = found->second;
    const auto told = entry.told.find(peer);
    const bool is_new = told == entry.told.end();
    if (!known || (is_new && entry.told.size() >= kTold)) return;
    const base::TimePoint now = clock_.now();
    const bool is_old = is_new || now < told->second || now - told->second >= kToldEvery ||
                        told->second < entry.narrowed;
    if (!is_old) return;
    entry.told.insert_or_assign(peer, now);
    bonds_->add_unread(component, peer);
    storage_.later(SetTold{{component, peer, now}});
}

void OwnPromises::has_read(const std::string& component, const std::string& peer) {
    const auto found = entries_.find(component);
    if (found == entries_.end() || found->second.told.erase(peer) == 0) return;
    bonds_->has_read(component, peer);
    storage_.later(RemoveTold{component, peer});
    if (terms_of(component) != nullptr) return;
    calls_.released(component, peer);
    if (found->second.told.empty()) end(component);
}

bool OwnPromises::may_believe(const std::string& peer) const {
    return std::ranges::any_of(entries_,
                               [&](const auto& entry) { return entry.second.told.contains(peer); });
}

bool OwnPromises::is_unread(const std::string& component, const std::string& peer) const {
    const auto entry = entries_.find(component);
    return entry != entries_.end() && terms_of(component) == nullptr &&
           entry->second.told.contains(peer);
}

std::vector<OwnPromises::View> OwnPromises::views() const {
    std::vector<View> views;
    for (const auto& [component, entry] : entries_) {
        View view{entry.promise, terms_of(component) != nullptr, {}};
        for (const auto& [peer, at] : entry.told)
            view.told.push_back({component, peer, at});
        views.push_back(std::move(view));
    }
    return views;
}

}  // namespace queue
