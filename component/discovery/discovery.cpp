#include "component/discovery/discovery.hpp"

#include "component/log.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;
using State = Found::State;

constexpr auto kDownRecheck = 1s;  // how soon a domain that is down is asked again: by each try
constexpr auto kUndecided =
    10min;  // a domain never seen before that could not be asked: by SMTP so long
// Mail for a peer that is gone without a word waits so long for it; then SMTP has it.
constexpr auto kSticky = std::chrono::hours(72);
// Two such answers of the DNS, so far apart, end that: one alone may be a slip of the pen, or
// forged.
constexpr auto kDenied = 30min;
constexpr auto kSweep = 60s;
constexpr auto kFlightTime = 3min;      // the longest survey, with room
constexpr std::size_t kLoaded = 1000;   // rows of the book that are read in one step
constexpr std::size_t kSwept = 10'000;  // entries that one sweep forgets
// When mail was last exchanged is written down so often: it only says who is worth remembering.
constexpr auto kStampEvery = std::chrono::hours(24);

}  // namespace

struct Discovery::Flight {
    std::vector<base::OneShot<bool>*> waiters;  ///< in the frames of join()
    bool verified = false;                      ///< the link has certificates on both ends
    bool for_us = false;              ///< somebody who waits for it has asked for mail of ours
    std::set<std::string> claimants;  ///< others who wait for it: no more than requests under way

    void joined_by(const std::string& claimant) {
        if (claimant.empty())
            for_us = true;
        else
            claimants.insert(claimant);
    }
    /// Somebody has a reason to know the domain: we have mail for it, or speak for it.
    bool has_reason(const std::vector<std::string>& speakers) const {
        return for_us || std::ranges::any_of(speakers, [&](const std::string& speaker) {
                   return claimants.contains(speaker);
               });
    }
};

Discovery::Discovery(base::asio::any_io_executor executor, DiscoverySettings settings,
                     base::Clock& clock, base::Random& random, queue::KnownPeers& book,
                     queue::RouteTable& routes)
    : Discovery(executor, settings, clock, random, book, routes,
                std::make_unique<DnsResolver>(settings.resolver)) {}

Discovery::Discovery(base::asio::any_io_executor executor, DiscoverySettings settings,
                     base::Clock& clock, base::Random& random, queue::KnownPeers& book,
                     queue::RouteTable& routes, std::unique_ptr<Resolver> resolver)
    : executor_(executor),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      book_(book),
      routes_(routes),
      resolver_(std::move(resolver)),
      tasks_(executor),
      stop_(executor),
      line_(executor) {}

base::Task<base::Result<void>> Discovery::load() {
    std::optional<mail::Domain> after;
    for (;;) {
        auto peers = co_await book_.load(after, kLoaded);
        if (!peers) co_return peers.error();
        if (peers->empty()) break;
        for (const auto& peer : *peers)
            restore(peer);
        after = peers->back().domain;
    }
    std::vector<mail::Domain> too_many = std::exchange(dropped_, {});
    co_await forget(std::move(too_many));
    tasks_.spawn("discovery sweep", [this]() -> base::Task<void> {
        while (!stopping_) {
            co_await stop_.wait(kSweep);
            sweep();
            std::vector<mail::Domain> gone = std::exchange(dropped_, {});
            co_await forget(std::move(gone));
        }
    });
    co_return base::Result<void>();
}

void Discovery::restore(const queue::KnownPeer& peer) {
    if (is_ours(peer.domain) || is_ours(peer.component)) {
        log::undiscovered(peer.domain.ascii(), "it is served here, or by a component of ours");
        dropped_.push_back(peer.domain);
        return;
    }
    const bool had_mail = known_.is_correspondent(peer.component);
    known_.change(peer.domain, [&](KnownDomain& entry) {
        // Not fresh: the capability is not known, so that the first mail asks.
        entry.state = State::down;
        entry.component = peer.component;
        entry.undecided = true;
        entry.why = "not asked since the start";
        entry.first_seen = peer.first_seen;
        entry.last_seen = peer.last_seen;
        entry.sent = peer.sent;
        entry.received = peer.received;
    });
    make_room(peer.domain);
    publish(peer.domain);
    // Those of its domains that were read before did not know yet that it has had mail.
    if (!had_mail && known_.is_correspondent(peer.component)) bind_all_of(peer.component);
}

base::Task<void> Discovery::stop() {
    stopping_ = true;
    stop_.notify();
    co_await tasks_.join();
}

void Discovery::sweep() {
    const bool believed = trust_ == nullptr || trust_->look().plausible();
    for (const auto& domain : known_.outdated(clock_, believed, kSwept)) {
        if (!flights_.contains(domain)) drop(domain);
    }
}

Found Discovery::to_found(const KnownDomain* entry) const {
    Found found;
    if (entry == nullptr) {  // it could not even be asked
        found.state = State::down;
        return found;
    }
    found.state = entry->state;
    found.why = entry->why;
    if (entry->state != State::unsupported) found.component = entry->component;
    found.down_since = entry->down_since;
    found.disputed = entry->state == State::unsupported && !entry->dispute.empty();
    if (entry->state == State::supported && entry->capability)
        found.capability = *entry->capability;
    return found;
}

base::Task<Found> Discovery::find(Link& link, mail::Domain domain, Reason reason) {
    if (is_ours(domain)) {
        Found ours;
        ours.state = State::ours;
        ours.why = domain.ascii() + " is served here";
        co_return ours;
    }
    const KnownDomain* entry = known_.find(domain);
    if (entry != nullptr && known_.is_fresh(*entry, clock_.steady())) co_return to_found(entry);
    LookupShares::Place place{reason, mail::Organisation::of(domain.ascii())};
    const auto steps = co_await ask(link, domain, std::move(place));
    Found found = to_found(known_.find(domain));
    if (found.why.empty() && !steps.empty()) found.why = steps.back();
    co_return found;
}

base::Task<Report> Discovery::look_up(Link& link, mail::Domain domain) {
    const LookupShares::Place place{LookupShares::Cause::new_mail,
                                    mail::Organisation::of(domain.ascii())};
    if (flights_.contains(domain)) co_await ask(link, domain, place);
    Report report;
    report.steps = co_await ask(link, domain, place);
    report.found = to_found(known_.find(domain));
    if (report.found.why.empty() && !report.steps.empty()) report.found.why = report.steps.back();
    co_return report;
}

queue::Route Discovery::known(const mail::Domain& domain) const {
    if (is_ours(domain)) return queue::Route::smtp;
    const KnownDomain* entry = known_.find(domain);
    if (entry == nullptr) return queue::Route::unknown;
    if (entry->state != State::unsupported) return queue::Route::xmpp;
    if (entry->hearsay) return queue::Route::unknown;
    return clock_.steady() < entry->good_until ? queue::Route::smtp : queue::Route::unknown;
}

void Discovery::suspect(const mail::Domain& domain) {
    if (known_.find(domain) != nullptr)
        known_.change(domain, [](KnownDomain& entry) { entry.good_until = {}; });
}

void Discovery::seen(const std::string& component) {
    // What it is to its domains is asked again, as it may have retired. Bounded by the session.
    known_.seen(component);
}

std::vector<KnownRoute> Discovery::routes(std::size_t most) const {
    std::vector<KnownRoute> routes;
    for (const auto& domain : known_.with_component(most)) {
        const KnownDomain& entry = *known_.find(domain);
        routes.push_back({domain, entry.component, entry.state == State::down, entry.first_seen,
                          entry.last_seen});
    }
    std::ranges::sort(routes, {}, &KnownRoute::domain);
    return routes;
}

base::Task<bool> Discovery::discard(mail::Domain domain) {
    const bool was_known = known_.find(domain) != nullptr;
    drop(domain);
    std::vector<mail::Domain> gone = std::exchange(dropped_, {});
    co_await forget(std::move(gone));
    co_return was_known;
}

Capability Discovery::capability_of(const std::string& component) const {
    const Capability* const known = known_.capability(component);
    return known == nullptr ? Capability() : *known;
}

bool Discovery::takes_no_reports(const std::string& component) const {
    const Capability* const known = known_.capability(component);
    return known != nullptr && !known->report;
}

base::Task<std::vector<std::string>> Discovery::ask(Link& link, mail::Domain domain,
                                                    LookupShares::Place place,
                                                    std::string claimant) {
    const base::TaskGroup::Member member(tasks_);
    if (flights_.contains(domain)) co_return co_await join(domain, claimant);
    if (!link.established()) co_return not_asked(link, domain);
    const auto since = clock_.steady();
    const bool has_place = co_await line_.enter(place);
    if (!has_place) co_return std::vector<std::string>{"too many look-ups are under way"};
    // Much may have happened while it stood in line.
    const KnownDomain* const entry = known_.find(domain);
    std::vector<std::string> steps;
    if (flights_.contains(domain) || (entry != nullptr && entry->checked > since)) {
        line_.leave(place);
        if (flights_.contains(domain)) steps = co_await join(domain, claimant);
        co_return steps;
    }
    if (link.established())
        steps = co_await fly(link, domain, claimant);
    else
        steps = not_asked(link, domain);
    line_.leave(place);
    co_return steps;
}

base::Task<std::vector<std::string>> Discovery::join(mail::Domain domain, std::string claimant) {
    const auto flight = flights_.at(domain);
    flight->joined_by(claimant);
    base::OneShot<bool> ended(executor_);
    flight->waiters.push_back(&ended);
    co_await ended.wait(kFlightTime);
    std::erase(flight->waiters, &ended);
    co_return std::vector<std::string>{"somebody else asked at the same time"};
}

/// Says nothing of the domain, and is therefore not remembered for one that is not known.
std::vector<std::string> Discovery::not_asked(Link& link, const mail::Domain& domain) {
    std::string step = "our own XMPP link (" + link.settings().jid + ") is down";
    if (known_.find(domain) != nullptr)
        known_.change(domain, [&](KnownDomain& entry) { entry.why = step; });
    return {std::move(step)};
}

base::Task<std::vector<std::string>> Discovery::fly(Link& link, mail::Domain domain,
                                                    std::string claimant) {
    const auto flight = std::make_shared<Flight>();
    flight->joined_by(claimant);
    flight->verified = link.settings().assurance == Assurance::pkix;
    flights_.emplace(domain, flight);
    const KnownDomain* entry = known_.find(domain);
    std::string known = entry == nullptr ? std::string() : entry->component;
    const std::uint64_t signs = known_.signs(known);
    auto result = co_await survey(link, *resolver_, domain, std::move(known));
    std::vector<std::string> steps = result.steps;
    if (link.established()) {
        co_await apply(domain, std::move(result), signs, flight);
        entry = known_.find(domain);
        if (entry != nullptr && !entry->dispute.empty()) steps.push_back(entry->dispute);
    } else {
        steps.emplace_back("our own XMPP link broke meanwhile");
    }
    flights_.erase(domain);
    for (auto* waiter : flight->waiters)
        waiter->set(true);
    co_return steps;
}

/// A domain of ours has no peer, whoever its server lists; and neither has one whose component we
/// are, without serving it: mail to either would come back to us.
Judgement Discovery::judge_result(const mail::Domain& domain, SurveyResult& result) const {
    if (result.kind == SurveyResult::Kind::no_server) return {};
    const KnownDomain* const before = known_.find(domain);
    Judgement judgement =
        judge(domain, result.facts, before == nullptr ? std::string() : before->component);
    if (is_ours(domain)) {
        judgement.component.clear();
    } else if (is_ours(judgement.component)) {
        result.why = "its component " + std::exchange(judgement.component, {}) +
                     " is ours, and does not serve " + domain.ascii();
        judgement.retired = true;
    }
    return judgement;
}

/// What a stranger says makes nobody known: who may speak for the domain is remembered, so that it
/// is not asked again for each of them, and nothing else.
void Discovery::set_hearsay(const mail::Domain& domain, const Judgement& judgement) {
    known_.change(domain, [&](KnownDomain& entry) {
        set_negative(entry, "only asked for by somebody who does not speak for it", false);
        entry.checked = clock_.steady();
        entry.hearsay = true;
        entry.no_server = false;
        entry.speakers = judgement.speakers;
        entry.good_until = {};  // mail of ours asks
    });
    make_room(domain);
    routes_.set(domain, queue::Route::unknown);
}

base::Task<void> Discovery::apply(mail::Domain domain, SurveyResult result, std::uint64_t signs,
                                  std::shared_ptr<const Flight> flight) {
    const Judgement judgement = judge_result(domain, result);
    const KnownDomain* const before = known_.find(domain);
    const std::string former = before == nullptr ? std::string() : before->component;
    const bool was_known = !former.empty();
    if (!judgement.component.empty() && !was_known && !flight->has_reason(judgement.speakers)) {
        set_hearsay(domain, judgement);
        co_return;
    }
    const bool had_mail = was_known && before->received != base::TimePoint();
    tell_of_promise(domain, judgement, result.facts, {former, had_mail, flight->verified});
    bool forgets = false;
    known_.change(domain, [&](KnownDomain& entry) {
        entry.hearsay = false;
        forgets = update(domain, entry, judgement, result);
        // What came back while it was asked is asked again, unless it has been found to be back.
        const bool is_down = entry.state == State::down;
        entry.signs = is_down ? signs : known_.signs(entry.component);
    });
    if (!judgement.component.empty()) {
        // Its domains have been judged, and nobody asks for them again; they may be many.
        Capability form = result.facts.forms.at(judgement.component);
        form.drop_domains();
        known_.set_capability(judgement.component, std::move(form));
    }
    make_room(domain);
    publish(domain);
    std::vector<mail::Domain> gone = std::exchange(dropped_, {});
    if (!judgement.component.empty()) former_.returned(domain);
    if (forgets) {
        former_.left(former, domain, clock_.steady());
        log::undiscovered(domain.ascii(), known_.find(domain)->why);
        departed_(domain);
        gone.push_back(domain);
    }
    if (!gone.empty()) co_await forget(std::move(gone));
    if (!judgement.component.empty()) co_await remember(domain);
}

bool Discovery::update(const mail::Domain& domain, KnownDomain& entry, const Judgement& judgement,
                       const SurveyResult& result) {
    using Kind = SurveyResult::Kind;
    const auto now = clock_.steady();
    const bool was_known = !entry.component.empty();
    std::string dispute = judgement.dispute(domain);
    if (!dispute.empty() && dispute != entry.dispute) log::disputed(domain.ascii(), dispute);
    entry.dispute = std::move(dispute);
    entry.checked = now;
    entry.undecided = false;
    entry.no_server = result.kind == Kind::no_server;
    bool forgets = false;
    const bool is_gone = is_denied(domain, entry, result);
    if (!judgement.component.empty()) {
        accept(domain, entry, judgement, result.facts);
    } else if (was_known && is_gone) {
        forgets = true;
        set_negative(entry, entry.component + " is gone: " + result.why, false);
    } else if (was_known && judgement.retired) {
        forgets = true;
        set_negative(entry, entry.component + " takes no mail for " + domain.ascii() + " any more",
                     false);
    } else if (was_known && (now - entry.down_since.value_or(now) < kSticky || is_kept(domain))) {
        set_down(domain, entry, result);
    } else {
        forgets = was_known;
        const bool rivals = !judgement.rivals.empty();
        std::string why = was_known ? entry.component + " is gone: " + result.why : result.why;
        if (rivals) why = entry.dispute;
        set_negative(entry, std::move(why), result.kind == Kind::unreachable && !rivals);
    }
    // Who may send is decided by what is certain: the domain's own word, or a complete answer.
    const bool certain = result.facts.named || result.kind == Kind::complete;
    if (judgement.component.empty() && certain) entry.speakers = judgement.speakers;
    return forgets;
}

bool Discovery::is_denied(const mail::Domain& domain, KnownDomain& entry,
                          const SurveyResult& result) {
    if (!result.denied) {
        // An answer that could not be had says nothing to the contrary.
        const bool is_silent = result.stage == SurveyResult::Stage::dns &&
                               result.kind == SurveyResult::Kind::unreachable;
        if (!is_silent) entry.denied_since.reset();
        return false;
    }
    const auto now = clock_.steady();
    entry.denied_since = entry.denied_since.value_or(now);
    const bool is_required = is_required_ && is_required_(domain);
    return now - *entry.denied_since >= kDenied && !is_kept(domain) && !is_required;
}

void Discovery::accept(const mail::Domain& domain, KnownDomain& entry, const Judgement& judgement,
                       const DomainFacts& facts) {
    const auto now = clock_.now();
    if (entry.state != State::supported || entry.component != judgement.component)
        log::discovered(domain.ascii(), judgement.component);
    if (entry.component != judgement.component) {
        entry.first_seen = now;
        entry.was_sent = entry.was_sent || entry.sent != base::TimePoint();
        entry.sent = entry.received = {};
    }
    entry.state = State::supported;
    entry.component = judgement.component;
    entry.capability = facts.forms.at(judgement.component);
    entry.capability->drop_domains();
    entry.speakers = judgement.speakers;
    entry.why = judgement.component + " takes mail for " + domain.ascii();
    entry.last_seen = now;
    entry.down_since.reset();
    entry.good_until = clock_.steady() + jittered(settings_.positive_ttl);
}

void Discovery::set_down(const mail::Domain& domain, KnownDomain& entry,
                         const SurveyResult& result) {
    if (!entry.down_since) log::peer_down(domain.ascii(), entry.component, result.why);
    entry.down_since = entry.down_since.value_or(clock_.steady());
    entry.state = State::down;
    entry.undecided = result.kind == SurveyResult::Kind::unreachable;
    entry.speakers.clear();
    entry.why = entry.component + " is down: " + result.why;
    if (!entry.dispute.empty()) entry.why += "; " + entry.dispute;
    entry.good_until = clock_.steady() + jittered(kDownRecheck);
}

void Discovery::set_negative(KnownDomain& entry, std::string why, bool undecided) {
    entry.state = State::unsupported;
    entry.component.clear();
    entry.capability.reset();
    entry.speakers.clear();
    entry.down_since.reset();
    entry.sent = entry.received = {};
    entry.was_sent = false;
    entry.why = std::move(why);
    entry.undecided = undecided;
    const auto ttl = undecided
                         ? std::min<std::chrono::milliseconds>(kUndecided, settings_.negative_ttl)
                         : std::chrono::milliseconds(settings_.negative_ttl);
    entry.good_until = clock_.steady() + jittered(ttl);
}

void Discovery::exchanged(const mail::Domain& domain, base::TimePoint KnownDomain::*when) {
    const KnownDomain* const entry = known_.find(domain);
    if (entry == nullptr || entry->component.empty()) return;
    const auto now = clock_.now();
    const base::TimePoint last = entry->*when;
    if (last <= now && now - last < kStampEvery) return;
    const std::string component = entry->component;
    const bool was_bound = known_.is_correspondent(component);
    known_.change(domain, [&](KnownDomain& changed) { changed.*when = now; });
    if (!was_bound && known_.is_correspondent(component)) bind_all_of(component);
    tasks_.spawn("remember", [this, domain] { return remember(domain); });
}

base::Task<void> Discovery::remember(mail::Domain domain) {
    const KnownDomain* const entry = known_.find(domain);
    if (entry == nullptr || entry->component.empty()) co_return;
    queue::KnownPeer peer{domain,           entry->component, entry->first_seen,
                          entry->last_seen, entry->sent,      entry->received};
    auto done = co_await book_.remember(std::move(peer));
    if (!done) log::known_peers_failed(domain.ascii(), done.error().text);
}

base::Task<void> Discovery::forget(std::vector<mail::Domain> domains) {
    if (domains.empty()) co_return;
    const std::string first = domains.front().ascii();
    auto done = co_await book_.forget(std::move(domains));
    if (!done) log::known_peers_failed(first, done.error().text);
}

void Discovery::drop(const mail::Domain& domain) {
    const KnownDomain* const entry = known_.find(domain);
    if (entry != nullptr && !entry->component.empty()) dropped_.push_back(domain);
    known_.erase(domain);
    bind(domain);
    routes_.set(domain, queue::Route::unknown);
}

void Discovery::make_room(const mail::Domain& latest) {
    const auto keeps = [this](const mail::Domain& domain) { return is_kept(domain); };
    while (const auto victim = known_.surplus(latest, keeps))
        drop(*victim);
}

void Discovery::publish(const mail::Domain& domain) {
    bind(domain);
    const KnownDomain* const entry = known_.find(domain);
    routes_.set(domain, entry == nullptr                     ? queue::Route::unknown
                        : entry->state == State::unsupported ? queue::Route::smtp
                                                             : queue::Route::xmpp);
}

std::chrono::milliseconds Discovery::jittered(std::chrono::milliseconds time) {
    // 90 to 100 per cent: what was learnt together is not asked again together, and no bound is
    // exceeded.
    const auto tenth = static_cast<std::uint64_t>(time.count() / 10);
    return time - std::chrono::milliseconds(tenth == 0 ? 0 : random_.below(tenth));
}

}  // namespace component
