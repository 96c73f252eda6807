#include "queue/agenda.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <utility>

namespace queue {
namespace {

/// For how long no further sign of life counts after so many (1 or more) that were followed by
/// silence. The first few are often a moment early: the servers' way to a peer that has just
/// started is not there yet.
std::chrono::milliseconds asleep(int vain, std::chrono::milliseconds most) {
    constexpr int kFree = 2;
    constexpr int kMostDoublings = 12;
    if (vain <= kFree) return std::chrono::milliseconds::zero();
    const std::chrono::milliseconds first = std::chrono::seconds(1);
    return std::min(most, first * (1 << std::min(vain - kFree - 1, kMostDoublings)));
}

/// Our own MTA is not kept waiting by peers that are out, however many they are.
bool is_behind_peer(const Destination& destination) {
    return destination.lane == Lane::xmpp || destination.lane == Lane::report;
}

}  // namespace

void Agenda::set_due(const Destination& destination, Entry& entry, base::TimePoint due) {
    waiting_.erase({entry.due, destination});
    entry.due = due;
    if (!entry.at_work) waiting_.emplace(due, destination);
}

void Agenda::set_failures(const Destination& destination, Entry& entry, int failures) {
    if (is_behind_peer(destination)) {
        if (entry.failures > 0) --failing_;
        if (failures > 0) ++failing_;
    }
    entry.failures = failures;
}

void Agenda::expect(const Destination& destination, base::TimePoint due) {
    const auto [place, is_new] = entries_.try_emplace(destination);
    Entry& entry = place->second;
    if (is_new && is_behind_peer(destination)) ++of_peers_;
    if (is_new && destination.lane == Lane::report) head_for(entry, destination.domain);
    set_due(destination, entry, std::max(due, entry.blocked_until));
}

void Agenda::arrived(const Destination& destination) {
    expect(destination, clock_.now());
    entries_.at(destination).again = true;
}

bool Agenda::may_start(const Destination& destination, const Entry& entry) const {
    if (!is_behind_peer(destination)) return true;
    if (at_work_ >= base::limits::kDestinationsAtWork) return false;
    if (!entry.whose) return true;
    const auto peer = peers_.find(entry.peer);
    const auto all = of_organisation_.find(*entry.whose);
    return (peer == peers_.end() || peer->second.at_work < base::limits::kDestinationsOfPeer) &&
           (all == of_organisation_.end() ||
            all->second < base::limits::kDestinationsOfOrganisation);
}

void Agenda::head_for(Entry& entry, const std::string& peer) {
    entry.peer = peer;
    entry.whose = mail::Organisation::of(peer);
}

void Agenda::join(const Entry& entry) {
    if (!entry.whose) return;
    ++peers_[entry.peer].at_work;
    ++of_organisation_[*entry.whose];
}

std::vector<Destination> Agenda::start() {
    std::vector<Destination> started;
    const base::TimePoint now = clock_.now();
    for (auto next = waiting_.begin(); next != waiting_.end() && next->first <= now;) {
        const Destination destination = next->second;
        Entry& entry = entries_.at(destination);
        if (!may_start(destination, entry)) {
            ++next;
            continue;
        }
        next = waiting_.erase(next);
        entry.at_work = true;
        entry.again = entry.woken = false;
        entry.was_silent = entry.failures > 0;
        if (is_behind_peer(destination)) ++at_work_;
        join(entry);
        started.push_back(destination);
    }
    return started;
}

std::optional<base::TimePoint> Agenda::next() const {
    // What is due and has no place starts when somebody ends.
    const auto later = waiting_.upper_bound({clock_.now(), Destination{Lane::report, "\xff", ""}});
    if (later == waiting_.end()) return std::nullopt;
    return later->first;
}

bool Agenda::is_crowded() const {
    return at_work_ >= base::limits::kDestinationsAtWork && !waiting_.empty() &&
           waiting_.begin()->first <= clock_.now();
}

void Agenda::heads_for(const Destination& destination, const std::string& peer) {
    Entry& entry = entries_.at(destination);
    if (!is_behind_peer(destination) || entry.peer == peer || peer.empty()) return;
    leave(entry);
    head_for(entry, peer);
    join(entry);
}

void Agenda::leave(const Entry& entry) {
    if (!entry.whose) return;
    const auto all = of_organisation_.find(*entry.whose);
    if (all != of_organisation_.end() && --all->second == 0) of_organisation_.erase(all);
    const auto found = peers_.find(entry.peer);
    if (found == peers_.end()) return;
    --found->second.at_work;
    if (found->second.at_work == 0 && found->second.failures == 0) peers_.erase(found);
}

std::optional<Agenda::Pause> Agenda::pause_of(const Destination& destination) const {
    const auto peer = peers_.find(entries_.at(destination).peer);
    if (peer == peers_.end() || peer->second.blocked_until <= clock_.now()) return std::nullopt;
    return Pause{peer->second.why, peer->second.blocked_until};
}

std::chrono::milliseconds Agenda::wait(const Destination& destination, int failures) {
    const std::chrono::milliseconds wait = retry_.wait(failures, random_);
    // A peer says when it is back. Our own MTA does not, and to ask it costs little.
    if (is_behind_peer(destination)) return wait;
    return std::min<std::chrono::milliseconds>(wait, base::limits::kOwnMtaPause);
}

base::TimePoint Agenda::missed(const Destination& destination, const Deferred& why) {
    Entry& entry = entries_.at(destination);
    const base::TimePoint now = clock_.now();
    // What a sign of life has started was no success that ends the waiting.
    const int vain = entry.vain;
    set_failures(destination, entry, std::max(entry.failures, vain) + 1);
    entry.blocked_until = now + wait(destination, entry.failures);
    if (std::exchange(entry.by_sign, false))
        entry.asleep_until = now + asleep(++entry.vain, retry_.most);
    if (entry.peer.empty()) return entry.blocked_until;
    Peer& peer = peers_[entry.peer];
    // Of several destinations that find it out at once, the first counts.
    if (peer.blocked_until <= now) {
        peer.failures = std::max(peer.failures, vain) + 1;
        peer.blocked_until = now + wait(destination, peer.failures);
        peer.why = why;
    }
    entry.blocked_until = peer.blocked_until;
    return entry.blocked_until;
}

void Agenda::failed(const Destination& destination) {
    Entry& entry = entries_.at(destination);
    set_failures(destination, entry, entry.failures + 1);
    entry.blocked_until = clock_.now() + wait(destination, entry.failures);
}

void Agenda::reached(const Destination& destination) {
    Entry& entry = entries_.at(destination);
    set_failures(destination, entry, 0);
    entry.blocked_until = {};
    entry.by_sign = false;
    entry.vain = 0;
    entry.asleep_until = {};
    const auto peer = peers_.find(entry.peer);
    if (peer != peers_.end()) {
        peer->second.failures = 0;
        peer->second.blocked_until = {};
    }
}

bool Agenda::may_wake(const Destination& destination) const {
    const auto found = entries_.find(destination);
    return found != entries_.end() && found->second.asleep_until <= clock_.now();
}

void Agenda::wake_by_sign(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found == entries_.end()) return;
    found->second.by_sign = true;
    wake(destination);
}

bool Agenda::is_to_be_woken(const Destination& destination) const {
    const Entry& entry = entries_.at(destination);
    return entry.woken || (entry.was_silent && entry.failures == 0);
}

void Agenda::end(const Destination& destination, std::optional<base::TimePoint> due) {
    const auto found = entries_.find(destination);
    Entry& entry = found->second;
    entry.at_work = false;
    if (is_behind_peer(destination)) --at_work_;
    leave(entry);
    if (entry.again) due = clock_.now();
    if (due) return set_due(destination, entry, std::max(*due, entry.blocked_until));
    set_failures(destination, entry, 0);
    if (is_behind_peer(destination)) --of_peers_;
    entries_.erase(found);
}

void Agenda::wake(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    set_failures(destination, entry, 0);
    entry.blocked_until = {};
    entry.woken = entry.again = true;
    const auto peer = peers_.find(entry.peer);
    if (peer != peers_.end()) {
        peer->second.failures = 0;
        peer->second.blocked_until = {};
        if (peer->second.at_work == 0) peers_.erase(peer);
    }
    set_due(destination, entry, clock_.now());
}

std::vector<Destination> Agenda::waiting_for(const std::string& peer) const {
    std::vector<Destination> waiting;
    for (const auto& [destination, entry] : entries_) {
        // After a restart it is not yet known who serves a domain: those are tried, too.
        const bool is_its =
            is_behind_peer(destination) && (entry.peer == peer || entry.peer.empty());
        const bool waits = entry.at_work || entry.failures > 0 || entry.due > clock_.now();
        if (is_its && waits) waiting.push_back(destination);
    }
    return waiting;
}

std::vector<Destination> Agenda::sent_by(const std::string& component) const {
    std::vector<Destination> sent;
    for (const auto& [destination, entry] : entries_) {
        if (is_behind_peer(destination) && destination.component == component)
            sent.push_back(destination);
    }
    return sent;
}

std::vector<Destination> Agenda::silent() const {
    std::vector<Destination> silent;
    for (const auto& [destination, entry] : entries_) {
        if (is_behind_peer(destination) && entry.failures > 0) silent.push_back(destination);
    }
    return silent;
}

std::vector<Agenda::SilentPeer> Agenda::silent_peers() const {
    std::set<SilentPeer> silent;
    for (const auto& [destination, entry] : entries_) {
        if (entry.failures > 0 && !entry.peer.empty())
            silent.insert({destination.component, entry.peer});
    }
    return {silent.begin(), silent.end()};
}

}  // namespace queue
