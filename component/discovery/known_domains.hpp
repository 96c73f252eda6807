// KnownDomains: what Discovery remembers of mail domains and their components, within bounds.
//
// Anybody can make us ask about any number of names. So what is asked of this table costs the same
// however much is in it, and beyond its bounds what is worth least has to go: names that take no
// mail, then components that no mail was ever exchanged with, then those that only send, and at
// last those that mail of ours goes to; of these the oldest first. Pure; event loop; cannot fail.
#pragma once

#include "base/clock.hpp"
#include "component/stream/capability.hpp"
#include "mail/domain.hpp"
#include "mail/organisation.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace component {

struct KnownDomain {
    enum class State {
        supported,
        down,
        unsupported,
        ours,  ///< of a Found only: we serve it ourselves
    };
    State state = State::unsupported;
    std::string component;  ///< of known peers
    std::optional<Capability> capability;
    std::vector<std::string> speakers;
    std::string why;
    std::string dispute;             ///< what the log has said of claims that are not believed
    base::SteadyPoint checked{};     ///< end of the last survey
    base::SteadyPoint good_until{};  ///< then it is asked again
    base::TimePoint first_seen{};
    base::TimePoint last_seen{};  ///< the last time that a survey confirmed it
    base::TimePoint sent{};       ///< when it last took mail of ours; the epoch: never
    base::TimePoint received{};   ///< when mail of it was last taken; the epoch: never
    /// A component that it had before has taken mail of ours. In memory only: the book knows one.
    bool was_sent = false;
    std::optional<base::SteadyPoint> down_since;
    /// Since when each answer of the DNS has been that it has no server, decidedly.
    std::optional<base::SteadyPoint> denied_since;
    bool undecided = false;   ///< the survey could not tell
    bool no_server = false;   ///< it found in the DNS that the domain has no XMPP server
    std::uint64_t signs = 0;  ///< signs of life of the component that were known when it was asked
    /// A component takes its mail, but only somebody who does not speak for it has asked: no reason
    /// to know it.
    bool hearsay = false;
};

/// A "no" to who claims a domain holds for so long: a peer that has just started is not refused for
/// longer, and who is refused causes no look-up before.
inline constexpr auto kInboundRecheck = std::chrono::seconds(60);

class KnownDomains {
  public:
    const KnownDomain* find(const mail::Domain& domain) const;
    /// Changes the entry, which is made where it is missing.
    const KnownDomain& change(const mail::Domain& domain,
                              const std::function<void(KnownDomain&)>& how);
    void erase(const mail::Domain& domain);
    std::size_t size() const { return entries_.size(); }

    /// What has to go because of `latest`, which stays: nothing if all bounds are kept. None that
    /// `is_kept`, unless very many that are worth least are.
    std::optional<mail::Domain> surplus(
        const mail::Domain& latest, const std::function<bool(const mail::Domain&)>& is_kept) const;
    /// At most `most` of those that are not worth remembering any longer. Unless the clock is
    /// `believed`, none that the book knows.
    std::vector<mail::Domain> outdated(const base::Clock& clock, bool believed,
                                       std::size_t most) const;

    /// It is what `entry` says, and its component gave no sign of life since.
    bool is_fresh(const KnownDomain& entry, base::SteadyPoint now) const;

    // About components:
    bool knows(const std::string& component) const { return components_.contains(component); }
    /// Mail of ours has gone to a domain of it.
    bool is_correspondent(const std::string& component) const;
    /// It gave a sign of life.
    void seen(const std::string& component);
    std::uint64_t signs(const std::string& component) const;
    /// What it announced last; nothing if it is not known.
    const Capability* capability(const std::string& component) const;
    /// Kept while the component serves a domain.
    void set_capability(const std::string& component, Capability capability);
    /// The first of its domains, or the one behind `after`.
    std::optional<mail::Domain> next_of(const std::string& component,
                                        const std::optional<mail::Domain>& after) const;
    /// At most `most`, those that are worth most first.
    std::vector<std::string> components(std::size_t most) const;

    /// At most `most` domains that have a component, those that are worth most first.
    std::vector<mail::Domain> with_component(std::size_t most) const;

  private:
    struct Rank {
        int value = 0;                         ///< see value_of()
        std::chrono::milliseconds since{};     ///< the older, the less; by the clock of its value
        const mail::Domain* domain = nullptr;  ///< the key in entries_
        bool operator<(const Rank& other) const;
    };
    using Ranks = std::set<Rank>;
    struct Component {
        std::set<mail::Domain> domains;
        std::size_t correspondents = 0;  ///< of these
        std::uint64_t signs = 0;
        std::optional<Capability> capability;
    };
    using Entries = std::map<mail::Domain, KnownDomain>;

    static Rank rank_of(const Entries::value_type& item);
    void link(const Entries::value_type& item);
    void unlink(const Entries::value_type& item);
    void join(const mail::Domain& domain, const KnownDomain& entry);
    void leave(const mail::Domain& domain, const KnownDomain& entry);

    Entries entries_;
    Ranks ranks_;
    std::map<mail::Organisation, Ranks> of_organisation_;
    std::map<std::string, Component> components_;
    std::size_t peers_ = 0;  ///< entries with a component
};

}  // namespace component
