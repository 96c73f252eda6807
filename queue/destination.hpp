// Destination: where a recipient's mail goes next, and Router, which decides it at intake.
#pragma once

#include "mail/envelope.hpp"
#include "queue/lane_policy.hpp"
#include "queue/own_bonds.hpp"

#include <compare>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace queue {

/// The lane out of the queue.
enum class Lane : std::uint8_t {
    xmpp = 1,    ///< to the component that serves the recipient's domain
    local = 2,   ///< into our own MTA: domains that we serve
    relay = 3,   ///< back to our own MTA, to go on by SMTP
    report = 4,  ///< what became of a peer's mail, to the component that it came from
};
const char* to_text(Lane lane);

/// Mail of one destination is leased together, and waits together when its next hop is out.
struct Destination {
    Lane lane = Lane::local;
    std::string component;  ///< Lane::xmpp, Lane::report: our component that sends it; else empty
    /// Lane::xmpp: the recipients' domain, A-labels; Lane::report: the peer's JID; Lane::local: the
    /// domain, if it has next hops of its own; else empty
    std::string domain;

    /// `xmpp:b.test`, `local`, `relay`, `report:mail.a.test`: for people.
    std::string to_text() const;
    auto operator<=>(const Destination&) const = default;
};

/// Which domains are ours, and which component sends for them: pure and immutable, but for the lane
/// policy and what we have promised, which all copies share. Any thread.
class Router {
  public:
    /// `served`: domain -> the component that serves it. `main_component` sends mail with a null
    /// reverse-path; empty if there is none. `main_domains`: component -> the domain in whose name
    /// it sends such mail; without an entry, the first that it serves. `own_hops`: those of
    /// `served` whose mail goes to a server of its own.
    Router(std::map<mail::Domain, std::string> served, std::string main_component,
           std::map<std::string, mail::Domain> main_domains = {},
           std::set<mail::Domain> own_hops = {}, LanePolicy lanes = {});

    /// Served here -> local. The name of a component of ours that is no mail domain -> relay. Else
    /// xmpp, by the component that serves the sender's domain or a parent of
    /// it; a foreign sender's mail goes by relay (protocol rule 5), as does what XMPP can't carry.
    Destination route(const mail::ReversePath& from, const mail::Mailbox& recipient) const;
    /// For a domain that is ours.
    Destination local(const mail::Domain& domain) const;
    bool serves(const mail::Domain& domain) const { return served_.contains(domain); }
    /// The one that serves it; empty: none does.
    std::string component_of(const mail::Domain& domain) const;
    /// What we serve, and the names of our components, A-labels: mail for it never goes over XMPP.
    const std::set<std::string, std::less<>>& ours() const { return ours_; }
    const std::set<std::string>& components() const { return components_; }
    /// What the administrator wants for mail to this domain; for ours, nothing special.
    LaneRule rule(std::string_view domain) const;
    /// The same, with what we have promised.
    LaneRule rule(const Destination& destination) const;
    /// Some mail to this domain goes over XMPP or not at all: we are to get it.
    bool is_required(std::string_view domain) const;
    /// Mail from there to `domain` is promised to go over XMPP only.
    bool is_promised(const mail::ReversePath& from, const mail::Domain& domain) const;
    /// What we have promised, for all copies.
    const std::shared_ptr<OwnBonds>& bonds() const { return bonds_; }
    std::shared_ptr<const LanePolicy> lanes() const { return lanes_->now(); }
    /// From now on, for all copies.
    void replace_lanes(LanePolicy lanes) { lanes_->replace(std::move(lanes)); }
    /// Whose postmaster hears of what concerns us all; nothing if we serve no domain.
    std::optional<mail::Domain> main_domain() const;
    /// The component that sends mail `from` there now: component_for_sender(), or the main one.
    std::optional<std::string> component_for(const mail::ReversePath& from) const;
    /// The component for `domain` or the nearest parent that is served.
    std::optional<std::string> component_for_sender(const mail::Domain& domain) const;
    /// The `domain` of a transfer that `component` sends (protocol rule 5); nothing if it may not.
    std::optional<mail::Domain> sending_domain(const mail::ReversePath& from,
                                               const std::string& component) const;

  private:
    const std::pair<const mail::Domain, std::string>* nearest(const mail::Domain& domain) const;

    std::map<mail::Domain, std::string> served_;
    std::set<std::string> components_;
    std::set<std::string, std::less<>> ours_;
    std::string main_component_;
    std::map<std::string, mail::Domain> main_domains_;
    std::set<mail::Domain> own_hops_;
    std::shared_ptr<Lanes> lanes_;
    std::shared_ptr<OwnBonds> bonds_ = std::make_shared<OwnBonds>();
};

}  // namespace queue
