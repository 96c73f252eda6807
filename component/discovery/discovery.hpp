// Discovery: remembers which component takes mail for a domain, and which may send in its name.
//
// Both couriers' and receivers' source of truth (protocol, Authority and Discovery). Owns what is
// known (KnownDomains) and the resolver; one survey in flight for a domain, and as many for each
// cause as LookupShares has places. Sticky: a domain that once had a component is down, not gone,
// when that cannot be confirmed. Known peers outlive a restart through queue::KnownPeers; what is
// known is published to queue::RouteTable. Event loop only; never throws. What calls it must
// outlive its own call.
#pragma once

#include "base/clock.hpp"
#include "base/clock_trust.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "component/discovery/authority.hpp"
#include "component/discovery/former_peers.hpp"
#include "component/discovery/known_domains.hpp"
#include "component/discovery/lookup_line.hpp"
#include "component/discovery/resolver.hpp"
#include "component/discovery/survey.hpp"
#include "component/stream/link.hpp"
#include "queue/peer_promise.hpp"
#include "queue/ports.hpp"
#include "queue/route_table.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace component {

struct DiscoverySettings {
    std::string resolver;  ///< `IP[:port]` of a DNS server; empty: the system's
    std::chrono::seconds positive_ttl = std::chrono::hours(24);
    std::chrono::seconds negative_ttl = std::chrono::hours(1);
    /// Router::ours(), A-labels: these are no peers, and neither is what they name as a component.
    std::set<std::string, std::less<>> ours{};
};

/// Where mail for a domain goes.
struct Found {
    using State = KnownDomain::State;
    State state = State::unsupported;
    std::string component;                          ///< if supported or down
    Capability capability;                          ///< if supported
    std::string why;                                ///< for logs and people
    std::optional<base::SteadyPoint> down_since{};  ///< if down, and it was seen to go
    /// Several components claim it, so that none is believed.
    bool disputed = false;
};

struct Authorisation {
    enum class Answer { yes, no, unknown };  ///< unknown: cannot be verified now
    Answer answer = Answer::unknown;
    std::string why;
    bool unreachable =
        false;  ///< unknown, as the domain itself could not be asked, for nothing of ours
    /// Why it is no "yes", in a word; `later`: nobody was asked.
    enum class Doubt { later, unacknowledged, disputed, no_server, unreachable };
    Doubt doubt = Doubt::later;
};

/// A domain that is known to take mail over XMPP, or to have taken it.
struct KnownRoute {
    mail::Domain domain;
    std::string component;
    bool down = false;
    base::TimePoint first_seen;
    base::TimePoint last_seen;
};

/// For `packetboat check DOMAIN`.
struct Report {
    std::vector<std::string> steps;
    Found found;
};

class Discovery {
  public:
    Discovery(base::asio::any_io_executor executor, DiscoverySettings settings, base::Clock& clock,
              base::Random& random, queue::KnownPeers& book, queue::RouteTable& routes);
    /// With another resolver: for tests.
    Discovery(base::asio::any_io_executor executor, DiscoverySettings settings, base::Clock& clock,
              base::Random& random, queue::KnownPeers& book, queue::RouteTable& routes,
              std::unique_ptr<Resolver> resolver);

    /// Reads the peer book, in steps, and clears it of what is ours; once, before anything else.
    base::Task<base::Result<void>> load();
    /// Waits for surveys that run; after the sessions have stopped.
    base::Task<void> stop();
    /// Forgets what is out of date, so that route look-ups ask again. load() has it done every
    /// minute.
    void sweep();
    /// What the book knows is forgotten only while the clock is believed. Outlives this object.
    void forget_by(base::ClockTrust& trust) { trust_ = &trust; }

    /// Hears of what is read of promises, and of who has had verdicts. Outlives this object.
    void tell_of_promises(queue::PromiseListener& listener) { promises_ = &listener; }
    /// Hears of each domain that took mail over XMPP, and does so no longer. Before load().
    void on_departure(std::function<void(const mail::Domain&)> call) {
        departed_ = std::move(call);
    }

    /// Hears, of each domain, from which component's verdicts mail of ours has had; empty: none.
    /// May be called again with the same. Before load().
    void on_bond(std::function<void(const mail::Domain&, const std::string&)> call) {
        bonded_ = std::move(call);
    }
    /// Whether mail to a domain may not go by SMTP: then it is not given up for a silence, however
    /// long.
    void keep_if(std::function<bool(const mail::Domain&)> is_kept) {
        is_kept_ = std::move(is_kept);
    }

    /// Whether some mail to a domain may not go by SMTP, by the administrator's policy: then no
    /// answer of the DNS takes it for retired, as that could be forged.
    void require_if(std::function<bool(const mail::Domain&)> is_required) {
        is_required_ = std::move(is_required);
    }

    /// Of these new_mail, waiting_mail and hint: what senders claim is for authorise().
    using Reason = LookupShares::Cause;
    base::Task<Found> find(Link& link, mail::Domain domain, Reason reason = Reason::new_mail);
    /// May `jid` (a bare domainpart) send in the name of `domain`? A "no" is never older than a
    /// minute.
    base::Task<Authorisation> authorise(Link& link, std::string jid, mail::Domain domain);
    /// Whether authorise() says yes without asking anybody.
    bool is_authorised(const std::string& jid, const mail::Domain& domain) const;
    /// As find(), but asks in any case, and tells each step. Not for what is ours (look_at_own()).
    base::Task<Report> look_up(Link& link, mail::Domain domain);

    /// How many surveys, and coroutines that wait for one, there are. For tests.
    std::size_t holds() const { return flights_.size() + tasks_.running(); }

    /// It is no peer's: we serve it, or it is the name of a component of ours.
    bool is_ours(const mail::Domain& domain) const {
        return settings_.ours.contains(domain.ascii());
    }
    /// A component that has such a name.
    bool is_ours(const std::string& component) const {
        const auto name = mail::Domain::parse(component);
        return name && is_ours(*name);
    }
    /// What is known without asking; Route::unknown if nothing, or nothing that is still fresh.
    queue::Route known(const mail::Domain& domain) const;
    /// What Postfix is told of: at most `most`, those that mail goes to first; by domain.
    std::vector<KnownRoute> routes(std::size_t most) const;
    /// Forgets the domain, on the disk, too, until it is asked for again. False if it was not
    /// known.
    base::Task<bool> discard(mail::Domain domain);
    /// The component of `domain` answered as if it took no mail: the next find() asks again.
    void suspect(const mail::Domain& domain);
    /// `component` gave a sign of life: where it is thought to be down, the next find() and
    /// authorise() ask again, whatever a survey that is under way may find.
    void seen(const std::string& component);
    /// The capability that a component announced last; the cautious default if none is known.
    Capability capability_of(const std::string& component) const;
    /// It is known, and announced that it does not take the report of what became of its mail.
    bool takes_no_reports(const std::string& component) const;
    /// It is known as the component of a domain.
    bool knows(const std::string& component) const { return known_.knows(component); }
    /// A sign of life of it means something: it is known, or there is a domain that may_return().
    bool heeds(const std::string& component) const;
    /// Domains that take no mail, for all that is known, and may have it as their component again:
    /// it was before, or by its name belongs to one that was asked for. To ask again is worth it.
    std::vector<mail::Domain> may_return(const std::string& component) const;
    /// Mail of ours has gone to it: it has shares that strangers do not get.
    bool is_correspondent(const std::string& component) const {
        return known_.is_correspondent(component);
    }
    /// Who is told of our presence: at most `most` of the known components, those first that mail
    /// goes to.
    std::vector<std::string> components(std::size_t most) const { return known_.components(most); }
    /// The first of the domains that `component` has been found to serve, or the one behind
    /// `after`.
    std::optional<mail::Domain> next_of(const std::string& component,
                                        const std::optional<mail::Domain>& after) const {
        return known_.next_of(component, after);
    }

    /// The domain's component took mail of ours.
    void sent_to(const mail::Domain& domain) { exchanged(domain, &KnownDomain::sent); }
    /// Mail in the domain's name was taken; `recipients`: the domains of ours that it named.
    void received_from(const mail::Domain& domain, const std::set<mail::Domain>& recipients) {
        exchanged(domain, &KnownDomain::received);
        if (promises_ != nullptr) promises_->verdict_given(domain, recipients);
    }

  private:
    struct Flight;

    /// Makes sure that a survey has ended after this was called; joins one that is under way.
    /// `claimant`: the JID whose claim is the reason; empty: mail of ours is.
    /// In line for a place, if mail of ours is the reason.
    base::Task<std::vector<std::string>> ask(Link& link, mail::Domain domain,
                                             LookupShares::Place place, std::string claimant = {});
    /// Waits for the survey that is under way.
    base::Task<std::vector<std::string>> join(mail::Domain domain, std::string claimant);
    std::vector<std::string> not_asked(Link& link, const mail::Domain& domain);
    /// A survey, and what it makes of the domain.
    base::Task<std::vector<std::string>> fly(Link& link, mail::Domain domain, std::string claimant);
    base::Task<void> apply(mail::Domain domain, SurveyResult result, std::uint64_t signs,
                           std::shared_ptr<const Flight> flight);
    /// The judgement, with what is ours taken out of it; `result` says why.
    Judgement judge_result(const mail::Domain& domain, SurveyResult& result) const;
    /// Who its component was, whether it has had verdicts, and over what link it was asked.
    struct Asked {
        std::string former;
        bool had_mail = false;
        bool verified = false;
    };
    void tell_of_promise(const mail::Domain& domain, const Judgement& judgement,
                         const DomainFacts& facts, const Asked& asked);
    void set_hearsay(const mail::Domain& domain, const Judgement& judgement);
    /// What the survey makes of the entry; whether the book has to forget it.
    bool update(const mail::Domain& domain, KnownDomain& entry, const Judgement& judgement,
                const SurveyResult& result);
    void accept(const mail::Domain& domain, KnownDomain& entry, const Judgement& judgement,
                const DomainFacts& facts);
    void set_down(const mail::Domain& domain, KnownDomain& entry, const SurveyResult& result);
    void set_negative(KnownDomain& entry, std::string why, bool undecided);
    void exchanged(const mail::Domain& domain, base::TimePoint KnownDomain::*when);
    void restore(const queue::KnownPeer& peer);
    base::Task<void> remember(mail::Domain domain);
    base::Task<void> forget(std::vector<mail::Domain> domains);
    /// Forgets it, and what the book has to forget of it.
    void drop(const mail::Domain& domain);
    /// Drops what `latest` leaves no room for.
    void make_room(const mail::Domain& latest);
    void publish(const mail::Domain& domain);
    // In discovery_bonds.cpp:
    void bind(const mail::Domain& domain);
    void bind_all_of(const std::string& component);
    bool is_kept(const mail::Domain& domain) const { return is_kept_ && is_kept_(domain); }
    /// The DNS has said for long enough that the domain has no server.
    bool is_denied(const mail::Domain& domain, KnownDomain& entry, const SurveyResult& result);
    std::chrono::milliseconds jittered(std::chrono::milliseconds time);
    Found to_found(const KnownDomain* entry) const;

    base::asio::any_io_executor executor_;
    DiscoverySettings settings_;
    base::Clock& clock_;
    base::Random& random_;
    queue::KnownPeers& book_;
    queue::RouteTable& routes_;
    std::function<void(const mail::Domain&)> departed_ = [](const mail::Domain&) {};
    std::function<void(const mail::Domain&, const std::string&)> bonded_;
    std::function<bool(const mail::Domain&)> is_kept_;
    std::function<bool(const mail::Domain&)> is_required_;
    std::unique_ptr<Resolver> resolver_;
    base::TaskGroup tasks_;
    base::Signal stop_;
    bool stopping_ = false;
    base::ClockTrust* trust_ = nullptr;
    queue::PromiseListener* promises_ = nullptr;
    KnownDomains known_;
    FormerPeers former_;
    LookupLine line_;
    std::map<mail::Domain, std::shared_ptr<Flight>> flights_;
    std::vector<mail::Domain> dropped_;  ///< that the book has to forget; at the next write
};

}  // namespace component
