#include "queue/delivery/agenda.hpp"

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

// Places that what is fresh has for itself, and so has all else: new mail, and mail for a peer that
// is there, is not held up by a hundred thousand destinations that are not, nor they by a flood.
constexpr std::size_t kKeptPlaces = base::limits::kDestinationsAtWork / 4;

/// Our own MTA is not kept waiting by peers that are out, however many they are.
bool is_behind_peer(const Destination& destination) {
    return destination.lane == Lane::xmpp || destination.lane == Lane::report;
}

template <class Refs>
std::vector<Destination> slice(const Refs& all, const std::optional<Destination>& after,
                               std::size_t most) {
    std::vector<Destination> some;
    auto next = after ? all.upper_bound(&*after) : all.begin();
    for (; next != all.end() && some.size() < most; ++next)
        some.push_back(**next);
    return some;
}

}  // namespace

Agenda::Line& Agenda::line_of(const Destination& destination, const Entry& entry) {
    switch (entry.stand) {
        case Stand::behind_peer:
            return behind_peer_[entry.peer];
        case Stand::behind_organisation:
            return behind_organisation_[*entry.whose];
        case Stand::fresh:
            return fresh_;
        default:
            return is_behind_peer(destination) ? waiting_ : own_;
    }
}

void Agenda::put(Ref destination, Entry& entry, Stand stand) {
    const bool is_fresh = entry.failures == 0 && (entry.has_news || entry.live);
    if (stand == Stand::line && is_fresh && is_behind_peer(*destination)) stand = Stand::fresh;
    entry.stand = stand;
    line_of(*destination, entry).emplace(entry.due, destination);
}

void Agenda::take(Ref destination, Entry& entry) {
    if (entry.stand == Stand::nowhere) return;
    Line& line = line_of(*destination, entry);
    line.erase({entry.due, destination});
    const bool is_last = line.empty();
    if (is_last && entry.stand == Stand::behind_peer) behind_peer_.erase(entry.peer);
    if (is_last && entry.stand == Stand::behind_organisation)
        behind_organisation_.erase(*entry.whose);
    entry.stand = Stand::nowhere;
}

void Agenda::set_due(const Destination& destination, Entry& entry, base::SteadyPoint due) {
    const Ref key = &entries_.find(destination)->first;
    take(key, entry);
    entry.due = due;
    if (!entry.at_work) put(key, entry, Stand::line);
}

void Agenda::count_silence(const Destination& destination, const Entry& entry, int by) {
    if (entry.failures == 0 || entry.peer.empty()) return;
    const SilentPeer silent{destination.component, entry.peer};
    const auto place = silent_peers_.try_emplace(silent, 0).first;
    place->second += static_cast<std::size_t>(by);
    if (place->second == 0) silent_peers_.erase(place);
}

void Agenda::set_failures(const Destination& destination, Entry& entry, int failures) {
    if (is_behind_peer(destination)) {
        const Ref key = &entries_.find(destination)->first;
        failures > 0 ? static_cast<void>(silent_.insert(key))
                     : static_cast<void>(silent_.erase(key));
    }
    count_silence(destination, entry, -1);
    entry.failures = failures;
    count_silence(destination, entry, 1);
}

base::SteadyPoint Agenda::due_at(base::TimePoint due) const {
    const base::TimePoint now = clock_.now();
    if (due > retry_.furthest(now)) return clock_.steady();
    return clock_.steady() + (due - now);  // what is due longest goes first
}

void Agenda::expect(const Destination& destination, base::TimePoint due) {
    expect_at(destination, due_at(due), false);
}

void Agenda::expect_at(const Destination& destination, base::SteadyPoint due, bool has_news) {
    const auto [place, is_new] = entries_.try_emplace(destination);
    Entry& entry = place->second;
    entry.again = entry.again || has_news;
    entry.has_news = entry.has_news || has_news;
    if (is_new && is_behind_peer(destination)) {
        ++of_peers_;
        of_peer_[entry.peer].insert(&place->first);
        // Whose peer it is, is guessed until it is known: most domains are served by their own.
        if (destination.lane == Lane::xmpp)
            entry.whose = mail::Organisation::of(destination.domain);
        if (destination.lane == Lane::report) head_for(&place->first, entry, destination.domain);
    }
    set_due(destination, entry, std::max(due, entry.blocked_until));
}

void Agenda::arrived(const Destination& destination) {
    expect_at(destination, clock_.steady(), true);
}

bool Agenda::has_room(const std::string& peer) const {
    if (peer.empty()) return true;
    const auto found = peers_.find(peer);
    return found == peers_.end() || found->second.at_work < base::limits::kDestinationsOfPeer;
}

bool Agenda::has_room(const mail::Organisation& whose) const {
    const auto all = of_organisation_.find(whose);
    return all == of_organisation_.end() || all->second < base::limits::kDestinationsOfOrganisation;
}

Agenda::Stand Agenda::stand_for(const Entry& entry) const {
    if (!entry.whose) return Stand::line;
    if (!has_room(entry.peer)) return Stand::behind_peer;
    return has_room(*entry.whose) ? Stand::line : Stand::behind_organisation;
}

void Agenda::head_for(Ref destination, Entry& entry, const std::string& peer) {
    const auto before = of_peer_.find(entry.peer);
    before->second.erase(destination);
    if (before->second.empty()) of_peer_.erase(before);
    count_silence(*destination, entry, -1);
    entry.peer = peer;
    entry.whose = mail::Organisation::of(peer);
    count_silence(*destination, entry, 1);
    of_peer_[peer].insert(destination);
}

void Agenda::join(const Entry& entry) {
    if (!entry.whose) return;
    if (!entry.peer.empty()) ++peers_[entry.peer].at_work;
    ++of_organisation_[*entry.whose];
}

bool Agenda::has_place(Stand of) const {
    const std::size_t taken = of == Stand::fresh ? fresh_at_work_ : at_work_ - fresh_at_work_;
    return taken < base::limits::kDestinationsAtWork &&
           at_work_ < base::limits::kDestinationsAtWork + kKeptPlaces;
}

void Agenda::begin(Ref destination, Entry& entry, Stand from, std::vector<Destination>& started) {
    entry.at_work = true;
    entry.again = false;
    entry.has_news = false;
    entry.was_silent = entry.failures > 0;
    entry.in_fresh_place = from == Stand::fresh;
    if (is_behind_peer(*destination)) ++at_work_;
    if (entry.in_fresh_place) ++fresh_at_work_;
    join(entry);
    started.push_back(*destination);
}

void Agenda::start_of(Line& line, std::size_t& looks, std::vector<Destination>& started) {
    const base::SteadyPoint now = clock_.steady();
    while (!line.empty() && line.begin()->first <= now && looks > 0) {
        const Ref destination = line.begin()->second;
        Entry& entry = entries_.at(*destination);
        const Stand from = entry.stand;
        if (is_behind_peer(*destination) && !has_place(from)) return;
        --looks;
        take(destination, entry);
        const Stand stand = stand_for(entry);
        if (stand == Stand::line)
            begin(destination, entry, from, started);
        else
            put(destination, entry, stand);
    }
}

bool Agenda::call_back(std::size_t& looks) {
    bool any = false;
    const auto call = [&](const Line& line, std::size_t room) {
        for (; room > 0 && looks > 0 && !line.empty(); --room, --looks, any = true) {
            const Ref first = line.begin()->second;
            // The line is gone with its last.
            const bool is_last = line.size() == 1;
            Entry& entry = entries_.at(*first);
            take(first, entry);
            put(first, entry, Stand::line);
            if (is_last) {
                any = true;
                return;
            }
        }
    };
    for (const std::string& peer : std::exchange(freed_, {})) {
        const auto line = behind_peer_.find(peer);
        if (line == behind_peer_.end()) continue;
        const auto found = peers_.find(peer);
        const std::size_t at_work = found == peers_.end() ? 0 : found->second.at_work;
        if (at_work < base::limits::kDestinationsOfPeer)
            call(line->second, base::limits::kDestinationsOfPeer - at_work);
    }
    // Of those that are called, some may have to stand behind their peer: then there is room still.
    for (const mail::Organisation& whose : std::exchange(freed_organisations_, {})) {
        const auto line = behind_organisation_.find(whose);
        if (line == behind_organisation_.end() || !has_room(whose)) continue;
        freed_organisations_.insert(whose);
        const auto all = of_organisation_.find(whose);
        const std::size_t at_work = all == of_organisation_.end() ? 0 : all->second;
        call(line->second, base::limits::kDestinationsOfOrganisation - at_work);
    }
    return any;
}

std::vector<Destination> Agenda::start(std::size_t most) {
    std::vector<Destination> started;
    std::size_t looks = most;
    if (peers_from_ <= clock_.steady()) {
        do {
            start_of(fresh_, looks, started);
            start_of(waiting_, looks, started);
        } while (has_place(Stand::line) && call_back(looks));
    }
    std::size_t own_looks = kLooks;
    start_of(own_, own_looks, started);
    looks_again_ = looks == 0 || own_looks == 0;
    return started;
}

std::optional<base::SteadyPoint> Agenda::next() const {
    const base::SteadyPoint now = clock_.steady();
    if (looks_again_) return now;
    // What is due and has no place starts when somebody ends.
    static const Destination kLast{Lane::report, "\xff", ""};
    std::optional<base::SteadyPoint> next;
    if (peers_from_ > now) next = peers_from_;
    for (const Line* const line : {&own_, &fresh_, &waiting_}) {
        const auto later = line->upper_bound({now, &kLast});
        if (later != line->end()) next = std::min(next.value_or(later->first), later->first);
    }
    return next;
}

bool Agenda::is_crowded() const {
    if (at_work_ < base::limits::kDestinationsAtWork) return false;
    const auto is_due = [now = clock_.steady()](const Line& line) {
        return !line.empty() && line.begin()->first <= now;
    };
    return is_due(waiting_) || is_due(fresh_) || !behind_peer_.empty() ||
           !behind_organisation_.empty();
}

void Agenda::heads_for(const Destination& destination, const std::string& peer) {
    const auto found = entries_.find(destination);
    Entry& entry = found->second;
    if (!is_behind_peer(destination) || entry.peer == peer || peer.empty()) return;
    leave(entry);
    head_for(&found->first, entry, peer);
    join(entry);
}

void Agenda::leave(const Entry& entry) {
    if (!entry.whose) return;
    if (!entry.peer.empty()) freed_.insert(entry.peer);
    freed_organisations_.insert(*entry.whose);
    const auto all = of_organisation_.find(*entry.whose);
    if (all != of_organisation_.end() && --all->second == 0) of_organisation_.erase(all);
    const auto found = peers_.find(entry.peer);
    if (found == peers_.end()) return;
    --found->second.at_work;
    if (found->second.at_work == 0 && found->second.failures == 0) peers_.erase(found);
}

std::optional<Silence> Agenda::pause_of(const Destination& destination) const {
    const auto peer = peers_.find(entries_.at(destination).peer);
    if (peer == peers_.end() || peer->second.blocked_until <= clock_.steady()) return std::nullopt;
    return Silence{peer->second.why, base::wall_at(clock_, peer->second.blocked_until),
                   peer->second.found};
}

std::chrono::milliseconds Agenda::wait(const Destination& destination, int failures) {
    const std::chrono::milliseconds wait = retry_.wait(failures, random_);
    // A peer says when it is back. Our own MTA does not, and to ask it costs little.
    if (is_behind_peer(destination)) return wait;
    return std::min<std::chrono::milliseconds>(wait, base::limits::kOwnMtaPause);
}

base::TimePoint Agenda::missed(const Destination& destination, const Deferred& why) {
    Entry& entry = entries_.at(destination);
    const base::SteadyPoint now = clock_.steady();
    // What a sign of life has started was no success that ends the waiting.
    const int vain = entry.vain;
    set_failures(destination, entry, std::max(entry.failures, vain) + 1);
    entry.live = false;
    entry.blocked_until = now + wait(destination, entry.failures);
    if (std::exchange(entry.by_sign, false))
        entry.asleep_until = now + asleep(++entry.vain, retry_.most);
    if (entry.peer.empty()) return base::wall_at(clock_, entry.blocked_until);
    Peer& peer = peers_[entry.peer];
    // Of several destinations that find it out at once, the first counts.
    if (peer.blocked_until <= now) {
        peer.failures = std::max(peer.failures, vain) + 1;
        peer.blocked_until = now + wait(destination, peer.failures);
        peer.why = why;
        peer.found = clock_.now();
    }
    entry.blocked_until = peer.blocked_until;
    return base::wall_at(clock_, entry.blocked_until);
}

void Agenda::failed(const Destination& destination) {
    Entry& entry = entries_.at(destination);
    set_failures(destination, entry, entry.failures + 1);
    entry.blocked_until = clock_.steady() + wait(destination, entry.failures);
}

void Agenda::reached(const Destination& destination) {
    Entry& entry = entries_.at(destination);
    set_failures(destination, entry, 0);
    entry.live = true;
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
    return found != entries_.end() && found->second.asleep_until <= clock_.steady();
}

void Agenda::wake_by_sign(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found == entries_.end()) return;
    found->second.by_sign = true;
    // Of those whose peer is not known yet, any may be its.
    found->second.has_news = !found->second.peer.empty();
    wake(destination);
}

void Agenda::wake_for_good(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found != entries_.end()) found->second.has_left = true;
    wake(destination);
}

bool Agenda::has_left(const Destination& destination) const {
    const auto found = entries_.find(destination);
    return found != entries_.end() && found->second.has_left;
}

void Agenda::forget_left(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found != entries_.end()) found->second.has_left = false;
}

bool Agenda::take_wake(const Destination& destination) {
    return std::exchange(entries_.at(destination).woken, false);
}

bool Agenda::take_wake_after(const Destination& destination) {
    const Entry& entry = entries_.at(destination);
    const bool answered = entry.was_silent && entry.failures == 0;
    return take_wake(destination) || answered;
}

void Agenda::end(const Destination& destination, std::optional<base::TimePoint> left) {
    const auto found = entries_.find(destination);
    Entry& entry = found->second;
    entry.at_work = false;
    if (is_behind_peer(destination)) --at_work_;
    if (std::exchange(entry.in_fresh_place, false)) --fresh_at_work_;
    leave(entry);
    std::optional<base::SteadyPoint> due;
    if (left) due = due_at(*left);
    if (entry.again) due = clock_.steady();
    if (due) return set_due(destination, entry, std::max(*due, entry.blocked_until));
    set_failures(destination, entry, 0);
    if (is_behind_peer(destination)) {
        --of_peers_;
        const auto behind = of_peer_.find(entry.peer);
        behind->second.erase(&found->first);
        if (behind->second.empty()) of_peer_.erase(behind);
    }
    entries_.erase(found);
}

void Agenda::wake(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found == entries_.end()) return;
    found->second.woken = true;
    try_now(destination);
}

void Agenda::try_now(const Destination& destination) {
    const auto found = entries_.find(destination);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    set_failures(destination, entry, 0);
    entry.blocked_until = {};
    entry.again = true;
    const auto peer = peers_.find(entry.peer);
    if (peer != peers_.end()) {
        peer->second.failures = 0;
        peer->second.blocked_until = {};
        if (peer->second.at_work == 0) peers_.erase(peer);
    }
    set_due(destination, entry, clock_.steady());
}

bool Agenda::waits(const Destination& destination) const {
    const auto found = entries_.find(destination);
    if (found == entries_.end() || !is_behind_peer(destination)) return false;
    const Entry& entry = found->second;
    return entry.at_work || entry.failures > 0 || entry.due > clock_.steady();
}

std::vector<Destination> Agenda::behind_peer(const std::string& peer, const After& after,
                                             std::size_t most) const {
    const auto behind = of_peer_.find(peer);
    return behind == of_peer_.end() ? std::vector<Destination>()
                                    : slice(behind->second, after, most);
}

std::vector<Destination> Agenda::sent_by(const std::string& component, const After& after,
                                         std::size_t most) const {
    std::vector<Destination> sent;
    for (const Lane lane : {Lane::xmpp, Lane::report}) {
        const Destination start{lane, component, ""};
        auto next =
            after && *after > start ? entries_.upper_bound(*after) : entries_.lower_bound(start);
        for (; next != entries_.end() && sent.size() < most; ++next) {
            if (next->first.lane != lane || next->first.component != component) break;
            sent.push_back(next->first);
        }
    }
    return sent;
}

std::vector<Destination> Agenda::silent(const After& after, std::size_t most) const {
    return slice(silent_, after, most);
}

std::vector<Agenda::SilentPeer> Agenda::silent_peers(const std::optional<SilentPeer>& after,
                                                     std::size_t most) const {
    std::vector<SilentPeer> silent;
    auto next = after ? silent_peers_.upper_bound(*after) : silent_peers_.begin();
    for (; next != silent_peers_.end() && silent.size() < most; ++next)
        silent.push_back(next->first);
    return silent;
}

}  // namespace queue
