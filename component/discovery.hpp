// Discovery: remembers which component takes mail for a domain, and which may send in its name.
//
// Both couriers' and receivers' source of truth (protocol, Authority and Discovery). Owns the
// cache, bounded by limits::kKnownDomains, and the resolver; one survey in flight for a domain,
// limits::kLookups in all. Sticky: a domain that once had a component is down, not gone, when that
// cannot be confirmed. Known peers outlive a restart through queue::PeerBook; what is known is
// published to queue::RouteTable. Event loop only; never throws. What calls it must outlive its own
// call.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/task_group.hpp"
#include "component/authority.hpp"
#include "component/link.hpp"
#include "component/resolver.hpp"
#include "component/survey.hpp"
#include "queue/ports.hpp"
#include "queue/route_table.hpp"

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
    /// Router::ours(): these are no peers, and neither is what they name as a component.
    std::set<std::string, std::less<>> ours{};
};

/// Where mail for a domain goes.
struct Found {
    enum class State {
        supported,
        down,
        unsupported,
        ours,  ///< we serve it ourselves
    };
    State state = State::unsupported;
    /// Unless unsupported; of ours, the one that other domains find, if they find one.
    std::string component;
    Capability capability;                        ///< if supported
    std::string why;                              ///< for logs and people
    std::optional<base::TimePoint> down_since{};  ///< if down, and it was seen to go
};

struct Authorisation {
    enum class Answer { yes, no, unknown };  ///< unknown: cannot be verified now
    Answer answer = Answer::unknown;
    std::string why;
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
              base::Random& random, queue::PeerBook& book, queue::RouteTable& routes);
    /// With another resolver: for tests.
    Discovery(base::asio::any_io_executor executor, DiscoverySettings settings, base::Clock& clock,
              base::Random& random, queue::PeerBook& book, queue::RouteTable& routes,
              std::unique_ptr<Resolver> resolver);

    /// Reads the peer book, and clears it of what is ours; once, before anything else.
    base::Task<base::Result<void>> load();
    /// Waits for surveys that run; after the sessions have stopped.
    base::Task<void> stop();
    /// Forgets negative answers that are out of date, so that route look-ups ask again. load() has
    /// it done every minute.
    void sweep();

    base::Task<Found> find(Link& link, mail::Domain domain);
    /// May `jid` (a bare domainpart) send in the name of `domain`? A "no" is never older than a
    /// minute.
    base::Task<Authorisation> authorise(Link& link, std::string jid, mail::Domain domain);
    /// Whether authorise() says yes without asking anybody.
    bool is_authorised(const std::string& jid, const mail::Domain& domain) const;
    /// As find(), but asks in any case, and tells each step.
    base::Task<Report> look_up(Link& link, mail::Domain domain);

    /// How many surveys, and coroutines that wait for one, there are. For tests.
    std::size_t holds() const { return flights_.size() + tasks_.running(); }

    /// It is no peer's: we serve it, or it is the name of a component of ours.
    bool is_ours(const mail::Domain& domain) const {
        return settings_.ours.contains(domain.ascii());
    }
    /// What is known without asking; Route::unknown if nothing, or nothing that is still fresh.
    queue::Route known(const mail::Domain& domain) const;
    /// What Postfix is told of, by domain.
    std::vector<KnownRoute> routes() const;
    /// Forgets the domain, on the disk, too, until it is asked for again. False if it was not
    /// known.
    base::Task<bool> drop(mail::Domain domain);
    /// The component of `domain` answered as if it took no mail: the next find() asks again.
    void suspect(const mail::Domain& domain);
    /// `component` gave a sign of life: where it is thought to be down, the next find() and
    /// authorise() ask again, whatever a survey that is under way may find.
    void seen(const std::string& component);
    /// The capability that a component announced last; the cautious default if none is known.
    Capability capability_of(const std::string& component) const;
    /// It is known, and announced that it does not take the report of what became of its mail.
    bool takes_no_reports(const std::string& component) const;
    /// All components that are known as peers: who is told of our presence.
    std::vector<std::string> known_components() const;
    /// Those that it has been found to serve.
    std::vector<mail::Domain> domains_of(const std::string& component) const;

  private:
    struct Entry {
        Found::State state = Found::State::unsupported;
        std::string component;  ///< of known peers
        std::optional<Capability> capability;
        std::vector<std::string> speakers;
        std::string why;
        base::TimePoint checked{};     ///< end of the last survey
        base::TimePoint good_until{};  ///< then find() asks again
        base::TimePoint first_seen{};
        base::TimePoint last_seen{};  ///< the last time that a survey confirmed it
        std::optional<base::TimePoint> down_since;
        bool undecided = false;  ///< the survey could not tell
        /// A component takes its mail, but only somebody who does not speak for it has asked: no
        /// reason to know it.
        bool hearsay = false;
        std::string ours_is;  ///< of a domain of ours: the component that others find
    };
    struct Flight;

    /// Makes sure that a survey has ended after this was called; joins one that is under way.
    /// `sender`: the JID whose claim is the reason; empty: mail of ours is.
    base::Task<std::vector<std::string>> ask(Link& link, mail::Domain domain,
                                             std::string sender = {});
    bool has_room_for(const std::string& sender) const;
    base::Task<void> apply(mail::Domain domain, SurveyResult result,
                           std::shared_ptr<const Flight> flight);
    void apply_ours(const mail::Domain& domain, Entry& entry, Judgement& judgement,
                    SurveyResult& result) const;
    void set_hearsay(const mail::Domain& domain, Entry& entry, const Judgement& judgement);
    Judgement judge_result(const mail::Domain& domain, const SurveyResult& result,
                           const Entry& entry) const;
    void accept(const mail::Domain& domain, Entry& entry, const Judgement& judgement,
                DomainFacts& facts);
    void set_down(const mail::Domain& domain, Entry& entry, const SurveyResult& result);
    void set_negative(Entry& entry, std::string why, bool undecided);
    base::Task<void> remember(mail::Domain domain);
    base::Task<void> forget(mail::Domain domain);
    void make_room();
    void publish(const mail::Domain& domain, const Entry& entry);
    std::chrono::milliseconds jittered(std::chrono::milliseconds time);
    const Entry* lookup(const mail::Domain& domain) const;
    Found to_found(const Entry* entry) const;

    base::asio::any_io_executor executor_;
    DiscoverySettings settings_;
    base::Clock& clock_;
    base::Random& random_;
    queue::PeerBook& book_;
    queue::RouteTable& routes_;
    std::unique_ptr<Resolver> resolver_;
    base::TaskGroup tasks_;
    base::Signal stop_;
    bool stopping_ = false;
    std::map<mail::Domain, Entry> entries_;
    std::map<std::string, Capability> capabilities_;
    std::map<mail::Domain, std::shared_ptr<Flight>> flights_;
};

}  // namespace component
