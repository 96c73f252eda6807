#include "queue/destination.hpp"

#include "mail/xmpp_fit.hpp"

namespace queue {

const char* to_text(Lane lane) {
    switch (lane) {
        case Lane::xmpp:
            return "xmpp";
        case Lane::local:
            return "local";
        case Lane::relay:
            return "relay";
        case Lane::report:
            return "report";
    }
    return "unknown";
}

std::string Destination::to_text() const {
    const std::string text = queue::to_text(lane);
    return domain.empty() ? text : text + ":" + domain;
}

Router::Router(std::map<mail::Domain, std::string> served, std::string main_component,
               std::map<std::string, mail::Domain> main_domains, std::set<mail::Domain> own_hops,
               LanePolicy lanes)
    : served_(std::move(served)),
      main_component_(std::move(main_component)),
      main_domains_(std::move(main_domains)),
      own_hops_(std::move(own_hops)),
      lanes_(std::make_shared<Lanes>(std::move(lanes))) {
    for (const auto& [domain, component] : served_) {
        main_domains_.try_emplace(component, domain);
        ours_.insert(domain.ascii());
        components_.insert(component);
    }
    if (!main_component_.empty()) components_.insert(main_component_);
    for (const auto& component : components_) {
        if (const auto name = mail::Domain::parse(component)) ours_.insert(name->ascii());
    }
}

Destination Router::route(const mail::ReversePath& from, const mail::Mailbox& recipient) const {
    if (serves(recipient.domain())) return local(recipient.domain());
    if (ours_.contains(recipient.domain().ascii())) return {Lane::relay, "", ""};
    const auto component = component_for(from);
    if (!component || !mail::fits_xmpp(from, recipient)) return {Lane::relay, "", ""};
    return {Lane::xmpp, *component, recipient.domain().ascii()};
}

Destination Router::local(const mail::Domain& domain) const {
    return {Lane::local, "", own_hops_.contains(domain) ? domain.ascii() : std::string()};
}

std::string Router::component_of(const mail::Domain& domain) const {
    const auto found = served_.find(domain);
    return found == served_.end() ? std::string() : found->second;
}

LaneRule Router::rule(std::string_view domain) const {
    return ours_.contains(domain) ? LaneRule() : lanes_->now()->of(domain);
}

LaneRule Router::rule(const Destination& destination) const {
    LaneRule rule = this->rule(destination.domain);
    const bool is_bound =
        destination.lane == Lane::xmpp && bonds_->binds(destination.component, destination.domain);
    if (is_bound && !rule.required) rule = {true, std::nullopt, true};
    return rule;
}

bool Router::is_required(std::string_view domain) const {
    return rule(domain).required || (!ours_.contains(domain) && bonds_->binds(domain));
}

bool Router::is_promised(const mail::ReversePath& from, const mail::Domain& domain) const {
    if (!from || !bonds_->has_promised(from->domain().ascii())) return false;
    const auto component = component_for(from);
    return component && bonds_->binds(*component, domain.ascii());
}

const std::pair<const mail::Domain, std::string>* Router::nearest(
    const mail::Domain& domain) const {
    const std::pair<const mail::Domain, std::string>* best = nullptr;
    for (const auto& entry : served_) {
        if (entry.first != domain && !domain.is_subdomain_of(entry.first)) continue;
        // Of two parents the longer name is the nearer one.
        if (best == nullptr || entry.first.ascii().size() > best->first.ascii().size())
            best = &entry;
    }
    return best;
}

std::optional<mail::Domain> Router::main_domain() const {
    const auto found = main_domains_.find(main_component_);
    if (found != main_domains_.end()) return found->second;
    if (served_.empty()) return std::nullopt;
    return served_.begin()->first;
}

std::optional<std::string> Router::component_for(const mail::ReversePath& from) const {
    if (from) return component_for_sender(from->domain());
    if (main_component_.empty()) return std::nullopt;
    return main_component_;
}

std::optional<std::string> Router::component_for_sender(const mail::Domain& domain) const {
    const auto* const found = nearest(domain);
    if (found == nullptr) return std::nullopt;
    return found->second;
}

std::optional<mail::Domain> Router::sending_domain(const mail::ReversePath& from,
                                                   const std::string& component) const {
    if (!from) {
        const auto found = main_domains_.find(component);
        if (found == main_domains_.end()) return std::nullopt;
        return found->second;
    }
    const auto* const found = nearest(from->domain());
    if (found == nullptr || found->second != component) return std::nullopt;
    return found->first;
}

}  // namespace queue
