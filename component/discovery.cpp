#include "component/discovery.hpp"

#include "component/log.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;
using State = Found::State;

constexpr auto kInboundRecheck = 60s;  // a peer that has just started is not refused for longer
constexpr auto kReturnRecheck = 1s;    // of one that was down and now sends
constexpr auto kDownRecheck = 1s;      // how soon a domain that is down is asked again: by each try
constexpr auto kUndecided =
    10min;  // a domain never seen before that could not be asked: by SMTP so long
// Mail for a peer that is gone without a word waits so long for it; then SMTP has it.
constexpr auto kSticky = std::chrono::hours(72);
constexpr auto kSweep = 60s;
constexpr auto kFlightTime = 3min;  // the longest survey, with room

}  // namespace

struct Discovery::Flight {
    std::vector<base::OneShot<bool>*> waiters;  ///< in the frames of ask()
    std::string sender;                         ///< whose claim caused it; empty: mail of ours
    bool for_us = false;              ///< somebody who waits for it has asked for mail of ours
    std::set<std::string> claimants;  ///< others who wait for it: no more than requests under way
    bool overtaken = false;           ///< the peer came back while it was under way
};

Discovery::Discovery(base::asio::any_io_executor executor, DiscoverySettings settings,
                     base::Clock& clock, base::Random& random, queue::PeerBook& book,
                     queue::RouteTable& routes)
    : Discovery(executor, settings, clock, random, book, routes,
                std::make_unique<DnsResolver>(settings.resolver)) {}

Discovery::Discovery(base::asio::any_io_executor executor, DiscoverySettings settings,
                     base::Clock& clock, base::Random& random, queue::PeerBook& book,
                     queue::RouteTable& routes, std::unique_ptr<Resolver> resolver)
    : executor_(executor),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      book_(book),
      routes_(routes),
      resolver_(std::move(resolver)),
      tasks_(executor),
      stop_(executor) {}

base::Task<base::Result<void>> Discovery::load() {
    auto peers = co_await book_.load();
    if (!peers) co_return peers.error();
    for (const auto& peer : *peers) {
        if (is_ours(peer.domain) || settings_.ours.contains(peer.component)) {
            log::undiscovered(peer.domain.ascii(), "it is served here, or by a component of ours");
            co_await forget(peer.domain);
            continue;
        }
        Entry entry;
        // Not fresh: the capability is not known, so that the first mail asks.
        entry.state = State::down;
        entry.component = peer.component;
        entry.undecided = true;
        entry.why = "not asked since the start";
        entry.first_seen = peer.first_seen;
        entry.last_seen = peer.last_seen;
        publish(peer.domain, entry);
        entries_.insert_or_assign(peer.domain, std::move(entry));
    }
    tasks_.spawn("discovery sweep", [this]() -> base::Task<void> {
        while (!stopping_) {
            co_await stop_.wait(kSweep);
            sweep();
        }
    });
    co_return base::Result<void>();
}

base::Task<void> Discovery::stop() {
    stopping_ = true;
    stop_.notify();
    co_await tasks_.join();
}

void Discovery::sweep() {
    std::erase_if(entries_, [&](const auto& item) {
        const Entry& entry = item.second;
        const bool outdated = entry.component.empty() && clock_.now() >= entry.good_until &&
                              clock_.now() - entry.checked >= kInboundRecheck &&
                              !flights_.contains(item.first);
        if (outdated) routes_.set(item.first, queue::Route::unknown);
        return outdated;
    });
}

const Discovery::Entry* Discovery::lookup(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? nullptr : &found->second;
}

Found Discovery::to_found(const Entry* entry) const {
    Found found;
    if (entry == nullptr) {  // it could not even be asked
        found.state = State::down;
        return found;
    }
    found.state = entry->state;
    found.why = entry->why;
    if (entry->state != State::unsupported) found.component = entry->component;
    found.down_since = entry->down_since;
    if (entry->state == State::supported && entry->capability)
        found.capability = *entry->capability;
    return found;
}

base::Task<Found> Discovery::find(Link& link, mail::Domain domain) {
    if (is_ours(domain)) {
        Found ours;
        ours.state = State::ours;
        ours.why = domain.ascii() + " is served here";
        co_return ours;
    }
    const Entry* entry = lookup(domain);
    if (entry != nullptr && clock_.now() < entry->good_until) co_return to_found(entry);
    const auto steps = co_await ask(link, domain);
    Found found = to_found(lookup(domain));
    if (found.why.empty() && !steps.empty()) found.why = steps.back();
    co_return found;
}

bool Discovery::is_authorised(const std::string& jid, const mail::Domain& domain) const {
    if (jid == domain.ascii()) return true;  // it is the domain itself
    const Entry* entry = lookup(domain);
    return entry != nullptr && entry->state == State::supported &&
           clock_.now() < entry->good_until &&
           std::ranges::find(entry->speakers, jid) != entry->speakers.end();
}

base::Task<Authorisation> Discovery::authorise(Link& link, std::string jid, mail::Domain domain) {
    using Answer = Authorisation::Answer;
    if (is_authorised(jid, domain)) co_return Authorisation{Answer::yes, {}};
    const auto speaks = [&](const Entry* entry) {
        return entry != nullptr && std::ranges::find(entry->speakers, jid) != entry->speakers.end();
    };
    const Entry* entry = lookup(domain);
    // Who speaks for a domain of which only others have talked makes it known.
    if (entry != nullptr && entry->hearsay && speaks(entry)) {
        co_await ask(link, domain, jid);
        entry = lookup(domain);
        if (speaks(entry)) co_return Authorisation{Answer::yes, entry->why};
    }
    // A component that sends is not down, whatever was found before.
    // And a domain whose server could not be asked may have one now, as its mail has come.
    const bool is_back =
        entry != nullptr &&
        ((entry->state == State::down && entry->component == jid) || entry->undecided);
    const auto recheck = is_back ? kReturnRecheck : kInboundRecheck;
    if (entry == nullptr || clock_.now() - entry->checked >= recheck) {
        const base::TimePoint before = entry == nullptr ? base::TimePoint() : entry->checked;
        co_await ask(link, domain, jid);
        entry = lookup(domain);
        if (entry != nullptr && entry->checked == before)
            co_return Authorisation{Answer::unknown, domain.ascii() + " can't be looked up now"};
    }
    if (entry == nullptr)
        co_return Authorisation{Answer::unknown, "too many look-ups are under way"};
    if (speaks(entry)) co_return Authorisation{Answer::yes, entry->why};
    if (entry->undecided) co_return Authorisation{Answer::unknown, entry->why};
    co_return Authorisation{Answer::no, jid + " does not speak for " + domain.ascii()};
}

base::Task<Report> Discovery::look_up(Link& link, mail::Domain domain) {
    if (flights_.contains(domain)) co_await ask(link, domain);
    Report report;
    report.steps = co_await ask(link, domain);
    const Entry* const entry = lookup(domain);
    report.found = to_found(entry);
    if (is_ours(domain)) {
        report.found.state = State::ours;
        if (entry != nullptr) report.found.component = entry->ours_is;
    }
    if (report.found.why.empty() && !report.steps.empty()) report.found.why = report.steps.back();
    co_return report;
}

queue::Route Discovery::known(const mail::Domain& domain) const {
    if (is_ours(domain)) return queue::Route::smtp;
    const Entry* entry = lookup(domain);
    if (entry == nullptr) return queue::Route::unknown;
    if (entry->state != State::unsupported) return queue::Route::xmpp;
    if (entry->hearsay) return queue::Route::unknown;
    return clock_.now() < entry->good_until ? queue::Route::smtp : queue::Route::unknown;
}

void Discovery::suspect(const mail::Domain& domain) {
    const auto found = entries_.find(domain);
    if (found != entries_.end()) found->second.good_until = {};
}

void Discovery::seen(const std::string& component) {
    for (auto& [domain, entry] : entries_) {
        if (entry.component != component) continue;
        if (const auto flight = flights_.find(domain); flight != flights_.end())
            flight->second->overtaken = true;
        // What it is to its domain is asked again, as it may have retired. Bounded by the session.
        entry.good_until = {};
        if (entry.state == State::down) entry.checked = {};
    }
}

std::vector<mail::Domain> Discovery::domains_of(const std::string& component) const {
    std::vector<mail::Domain> domains;
    for (const auto& [domain, entry] : entries_) {
        if (entry.component == component) domains.push_back(domain);
    }
    return domains;
}

std::vector<KnownRoute> Discovery::routes() const {
    std::vector<KnownRoute> routes;
    for (const auto& [domain, entry] : entries_) {
        if (entry.component.empty()) continue;
        routes.push_back({domain, entry.component, entry.state == State::down, entry.first_seen,
                          entry.last_seen});
    }
    return routes;
}

base::Task<bool> Discovery::drop(mail::Domain domain) {
    const bool was_known = entries_.erase(domain) > 0;
    routes_.set(domain, queue::Route::unknown);
    if (was_known) co_await forget(std::move(domain));
    co_return was_known;
}

Capability Discovery::capability_of(const std::string& component) const {
    const auto found = capabilities_.find(component);
    return found == capabilities_.end() ? Capability() : found->second;
}

bool Discovery::takes_no_reports(const std::string& component) const {
    const auto found = capabilities_.find(component);
    return found != capabilities_.end() && !found->second.report;
}

std::vector<std::string> Discovery::known_components() const {
    std::vector<std::string> components;
    for (const auto& [domain, entry] : entries_) {
        if (!entry.component.empty()) components.push_back(entry.component);
    }
    std::ranges::sort(components);
    components.erase(std::ranges::unique(components).begin(), components.end());
    return components;
}

bool Discovery::has_room_for(const std::string& sender) const {
    if (flights_.size() >= base::limits::kLookups) return false;
    if (sender.empty()) return true;
    std::size_t of_senders = 0;
    std::size_t of_this_one = 0;
    for (const auto& [domain, flight] : flights_) {
        of_senders += flight->sender.empty() ? 0 : 1;
        of_this_one += flight->sender == sender ? 1 : 0;
    }
    return of_senders < base::limits::kSenderLookups &&
           of_this_one < base::limits::kReceivingBatches;
}

base::Task<std::vector<std::string>> Discovery::ask(Link& link, mail::Domain domain,
                                                    std::string sender) {
    const base::TaskGroup::Member member(tasks_);
    const auto joined = flights_.find(domain);
    if (joined != flights_.end()) {
        const auto flight = joined->second;
        if (sender.empty())
            flight->for_us = true;
        else
            flight->claimants.insert(sender);
        base::OneShot<bool> ended(executor_);
        flight->waiters.push_back(&ended);
        co_await ended.wait(kFlightTime);
        std::erase(flight->waiters, &ended);
        co_return std::vector<std::string>{"somebody else asked at the same time"};
    }
    if (!link.established()) {
        // Says nothing of the domain, and is therefore not remembered for one that is not known.
        std::string step = "our own XMPP link (" + link.settings().jid + ") is down";
        if (const auto found = entries_.find(domain); found != entries_.end())
            found->second.why = step;
        co_return std::vector<std::string>{std::move(step)};
    }
    if (!has_room_for(sender))
        co_return std::vector<std::string>{"too many look-ups are under way"};
    const auto flight = std::make_shared<Flight>();
    flight->for_us = sender.empty();
    if (!sender.empty()) flight->claimants.insert(sender);
    flight->sender = std::move(sender);
    flights_.emplace(domain, flight);
    const Entry* entry = lookup(domain);
    std::string known = entry == nullptr ? std::string() : entry->component;
    auto result = co_await survey(link, *resolver_, domain, std::move(known));
    std::vector<std::string> steps = result.steps;
    if (link.established()) {
        co_await apply(domain, std::move(result), flight);
        const auto found = entries_.find(domain);
        const bool is_down = found != entries_.end() && found->second.state == State::down;
        if (flight->overtaken && is_down) found->second.good_until = found->second.checked = {};
    } else {
        steps.emplace_back("our own XMPP link broke meanwhile");
    }
    flights_.erase(domain);
    for (auto* waiter : flight->waiters)
        waiter->set(true);
    co_return steps;
}

Judgement Discovery::judge_result(const mail::Domain& domain, const SurveyResult& result,
                                  const Entry& entry) const {
    if (result.kind == SurveyResult::Kind::no_server) return {};
    return judge(domain, result.facts, entry.component);
}

/// A domain of ours has no peer, whoever its server lists; and neither has one whose component we
/// are, without serving it: mail to either would come back to us.
void Discovery::apply_ours(const mail::Domain& domain, Entry& entry, Judgement& judgement,
                           SurveyResult& result) const {
    if (is_ours(domain)) {
        entry.ours_is = std::exchange(judgement.component, {});
    } else if (settings_.ours.contains(judgement.component)) {
        result.why = "its component " + std::exchange(judgement.component, {}) +
                     " is ours, and does not serve " + domain.ascii();
        judgement.retired = true;
    }
}

/// What a stranger says makes nobody known: who may speak for the domain is remembered, so that it
/// is not asked again for each of them, and nothing else.
void Discovery::set_hearsay(const mail::Domain& domain, Entry& entry, const Judgement& judgement) {
    set_negative(entry, "only asked for by somebody who does not speak for it", false);
    entry.hearsay = true;
    entry.speakers = judgement.speakers;
    entry.good_until = {};  // mail of ours asks
    routes_.set(domain, queue::Route::unknown);
}

base::Task<void> Discovery::apply(mail::Domain domain, SurveyResult result,
                                  std::shared_ptr<const Flight> flight) {
    using Kind = SurveyResult::Kind;
    if (!entries_.contains(domain)) make_room();
    Entry& entry = entries_[domain];
    const auto now = clock_.now();
    Judgement judgement = judge_result(domain, result, entry);
    apply_ours(domain, entry, judgement, result);
    const bool was_known = !entry.component.empty();
    const bool has_authority =
        was_known || flight->for_us ||
        std::ranges::any_of(judgement.speakers, [&](const std::string& speaker) {
            return flight->claimants.contains(speaker);
        });
    entry.checked = now;
    entry.undecided = false;
    entry.hearsay = false;
    if (!judgement.component.empty() && !has_authority)
        co_return set_hearsay(domain, entry, judgement);
    if (!judgement.component.empty() && (capabilities_.size() < base::limits::kKnownDomains ||
                                         capabilities_.contains(judgement.component))) {
        // Its domains have been judged, and nobody asks for them again; they may be many.
        Capability form = result.facts.forms.at(judgement.component);
        form.domains.clear();
        capabilities_.insert_or_assign(judgement.component, std::move(form));
    }
    if (!judgement.other_claim.empty())
        log::two_claims(domain.ascii(),
                        judgement.speakers.empty() ? "" : judgement.speakers.front(),
                        judgement.other_claim);
    bool forgets = false;
    if (!judgement.component.empty()) {
        accept(domain, entry, judgement, result.facts);
    } else if (was_known && judgement.retired) {
        forgets = true;
        set_negative(entry, entry.component + " takes no mail for " + domain.ascii() + " any more",
                     false);
    } else if (was_known && now - entry.down_since.value_or(now) < kSticky) {
        set_down(domain, entry, result);
    } else {
        forgets = was_known;
        set_negative(entry, result.why, result.kind == Kind::unreachable);
    }
    // Who may send is decided by what is certain: the domain's own word, or a complete answer.
    const bool certain = result.facts.named || result.kind == Kind::complete;
    if (judgement.component.empty() && certain) entry.speakers = judgement.speakers;
    publish(domain, entry);
    if (!judgement.component.empty()) {
        co_await remember(domain);
    } else if (forgets) {
        log::undiscovered(domain.ascii(), result.why);
        co_await forget(domain);
    }
}

void Discovery::accept(const mail::Domain& domain, Entry& entry, const Judgement& judgement,
                       DomainFacts& facts) {
    const auto now = clock_.now();
    if (entry.state != State::supported || entry.component != judgement.component)
        log::discovered(domain.ascii(), judgement.component);
    if (entry.component != judgement.component) entry.first_seen = now;
    entry.state = State::supported;
    entry.component = judgement.component;
    entry.capability = facts.forms.at(judgement.component);
    entry.capability->domains.clear();
    entry.speakers = judgement.speakers;
    entry.why = judgement.component + " takes mail for " + domain.ascii();
    entry.last_seen = now;
    entry.down_since.reset();
    entry.good_until = now + jittered(settings_.positive_ttl);
}

void Discovery::set_down(const mail::Domain& domain, Entry& entry, const SurveyResult& result) {
    if (!entry.down_since) log::peer_down(domain.ascii(), entry.component, result.why);
    entry.down_since = entry.down_since.value_or(clock_.now());
    entry.state = State::down;
    entry.undecided = result.kind == SurveyResult::Kind::unreachable;
    entry.speakers.clear();
    entry.why = entry.component + " is down: " + result.why;
    entry.good_until = clock_.now() + jittered(kDownRecheck);
}

void Discovery::set_negative(Entry& entry, std::string why, bool undecided) {
    entry.state = State::unsupported;
    entry.component.clear();
    entry.capability.reset();
    entry.speakers.clear();
    entry.down_since.reset();
    entry.why = std::move(why);
    entry.undecided = undecided;
    const auto ttl = undecided
                         ? std::min<std::chrono::milliseconds>(kUndecided, settings_.negative_ttl)
                         : std::chrono::milliseconds(settings_.negative_ttl);
    entry.good_until = clock_.now() + jittered(ttl);
}

base::Task<void> Discovery::remember(mail::Domain domain) {
    const Entry& entry = entries_.at(domain);
    queue::KnownPeer peer{domain, entry.component, entry.first_seen, entry.last_seen};
    auto done = co_await book_.remember(std::move(peer));
    if (!done) log::peer_book_failed(domain.ascii(), done.error().text);
}

base::Task<void> Discovery::forget(mail::Domain domain) {
    auto done = co_await book_.forget(domain);
    if (!done) log::peer_book_failed(domain.ascii(), done.error().text);
}

void Discovery::make_room() {
    if (entries_.size() < base::limits::kKnownDomains) return;
    // Known peers stay; of the others any will do, as they can be asked again.
    auto victim = std::ranges::find_if(
        entries_, [](const auto& item) { return item.second.component.empty(); });
    if (victim == entries_.end()) victim = entries_.begin();
    routes_.set(victim->first, queue::Route::unknown);
    entries_.erase(victim);
}

void Discovery::publish(const mail::Domain& domain, const Entry& entry) {
    routes_.set(domain,
                entry.state == State::unsupported ? queue::Route::smtp : queue::Route::xmpp);
}

std::chrono::milliseconds Discovery::jittered(std::chrono::milliseconds time) {
    // 90 to 100 per cent: what was learnt together is not asked again together, and no bound is
    // exceeded.
    const auto tenth = static_cast<std::uint64_t>(time.count() / 10);
    return time - std::chrono::milliseconds(tenth == 0 ? 0 : random_.below(tenth));
}

}  // namespace component
