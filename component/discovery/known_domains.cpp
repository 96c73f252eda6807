#include "component/discovery/known_domains.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <tuple>

namespace component {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOfOrganisation = 1000;  // names of one organisation
// So many that are kept are passed over to find one that may go: whoever has a whole table of them
// must not make each new name cost a walk through it.
constexpr std::size_t kPassedOver = kOfOrganisation + 1;
// A component that no mail was exchanged with is forgotten so long after it was last confirmed ...
constexpr auto kUnproven = std::chrono::hours(24 * 7);
// ... and any other so long after the last mail.
constexpr auto kForgotten = std::chrono::hours(24 * 180);

enum Value { takes_no_mail, never_exchanged, only_sends, correspondent };
constexpr Value kValues[] = {takes_no_mail, never_exchanged, only_sends, correspondent};

Value value_of(const KnownDomain& entry) {
    if (entry.component.empty()) return takes_no_mail;
    if (entry.sent != base::TimePoint()) return correspondent;
    return entry.received != base::TimePoint() ? only_sends : never_exchanged;
}

/// Of what is only in memory by the steady clock, and of what the book knows by the wall clock.
std::chrono::milliseconds since_of(const KnownDomain& entry) {
    if (entry.component.empty())
        return std::max(entry.good_until, entry.checked + kInboundRecheck).time_since_epoch();
    if (value_of(entry) == never_exchanged) return entry.last_seen.time_since_epoch();
    return std::max(entry.sent, entry.received).time_since_epoch();
}

std::chrono::hours life_of(Value value) {
    if (value == takes_no_mail) return 0h;
    return value == never_exchanged ? kUnproven : kForgotten;
}

}  // namespace

bool KnownDomains::Rank::operator<(const Rank& other) const {
    return std::tie(value, since, *domain) < std::tie(other.value, other.since, *other.domain);
}

KnownDomains::Rank KnownDomains::rank_of(const Entries::value_type& item) {
    return {value_of(item.second), since_of(item.second), &item.first};
}

void KnownDomains::link(const Entries::value_type& item) {
    ranks_.insert(rank_of(item));
    of_organisation_[mail::Organisation::of(item.first.ascii())].insert(rank_of(item));
    peers_ += item.second.component.empty() ? 0 : 1;
}

void KnownDomains::unlink(const Entries::value_type& item) {
    ranks_.erase(rank_of(item));
    const auto siblings = of_organisation_.find(mail::Organisation::of(item.first.ascii()));
    siblings->second.erase(rank_of(item));
    if (siblings->second.empty()) of_organisation_.erase(siblings);
    peers_ -= item.second.component.empty() ? 0 : 1;
}

void KnownDomains::join(const mail::Domain& domain, const KnownDomain& entry) {
    if (entry.component.empty()) return;
    Component& component = components_[entry.component];
    component.domains.insert(domain);
    component.correspondents += value_of(entry) == correspondent ? 1 : 0;
}

void KnownDomains::leave(const mail::Domain& domain, const KnownDomain& entry) {
    const auto component = components_.find(entry.component);
    if (component == components_.end()) return;
    component->second.domains.erase(domain);
    component->second.correspondents -= value_of(entry) == correspondent ? 1 : 0;
}

const KnownDomain* KnownDomains::find(const mail::Domain& domain) const {
    const auto found = entries_.find(domain);
    return found == entries_.end() ? nullptr : &found->second;
}

const KnownDomain& KnownDomains::change(const mail::Domain& domain,
                                        const std::function<void(KnownDomain&)>& how) {
    const auto [place, is_new] = entries_.try_emplace(domain);
    const std::string before = place->second.component;
    if (!is_new) unlink(*place);
    leave(domain, place->second);
    how(place->second);
    join(domain, place->second);
    link(*place);
    // Only now: with its last domain a component's own record goes.
    const auto component = components_.find(before);
    if (component != components_.end() && component->second.domains.empty())
        components_.erase(component);
    return place->second;
}

void KnownDomains::erase(const mail::Domain& domain) {
    const auto found = entries_.find(domain);
    if (found == entries_.end()) return;
    unlink(*found);
    leave(domain, found->second);
    const auto component = components_.find(found->second.component);
    if (component != components_.end() && component->second.domains.empty())
        components_.erase(component);
    entries_.erase(found);
}

std::optional<mail::Domain> KnownDomains::surplus(
    const mail::Domain& latest, const std::function<bool(const mail::Domain&)>& is_kept) const {
    const auto first_of = [&](const Ranks& ranks, Ranks::const_iterator at) {
        std::optional<mail::Domain> first;
        for (std::size_t i = 0; i < kPassedOver && at != ranks.end(); ++i, ++at) {
            if (*at->domain == latest) continue;
            if (!is_kept(*at->domain)) return std::optional(*at->domain);
            if (!first) first = *at->domain;
        }
        // The bounds come first.
        return first;
    };
    const auto siblings = of_organisation_.find(mail::Organisation::of(latest.ascii()));
    if (siblings != of_organisation_.end() && siblings->second.size() > kOfOrganisation)
        return first_of(siblings->second, siblings->second.begin());
    if (peers_ > base::limits::kKnownPeers) {
        const Rank least{never_exchanged, std::chrono::milliseconds::min(), &latest};
        return first_of(ranks_, ranks_.lower_bound(least));
    }
    if (entries_.size() > base::limits::kKnownDomains) return first_of(ranks_, ranks_.begin());
    return std::nullopt;
}

std::vector<mail::Domain> KnownDomains::outdated(const base::Clock& clock, bool believed,
                                                 std::size_t most) const {
    std::vector<mail::Domain> domains;
    if (entries_.empty()) return domains;
    const mail::Domain& any = entries_.begin()->first;
    for (const Value value : kValues) {
        if (value != takes_no_mail && !believed) break;
        const auto now = value == takes_no_mail ? clock.steady().time_since_epoch()
                                                : clock.now().time_since_epoch();
        auto at = ranks_.lower_bound({value, std::chrono::milliseconds::min(), &any});
        for (; at != ranks_.end() && at->value == value && domains.size() < most; ++at) {
            if (now < at->since + life_of(value)) break;
            domains.push_back(*at->domain);
        }
    }
    return domains;
}

bool KnownDomains::is_fresh(const KnownDomain& entry, base::SteadyPoint now) const {
    return now < entry.good_until && entry.signs == signs(entry.component);
}

bool KnownDomains::is_correspondent(const std::string& component) const {
    const auto found = components_.find(component);
    return found != components_.end() && found->second.correspondents > 0;
}

void KnownDomains::seen(const std::string& component) {
    const auto found = components_.find(component);
    if (found != components_.end()) ++found->second.signs;
}

std::uint64_t KnownDomains::signs(const std::string& component) const {
    const auto found = components_.find(component);
    return found == components_.end() ? 0 : found->second.signs;
}

const Capability* KnownDomains::capability(const std::string& component) const {
    const auto found = components_.find(component);
    return found == components_.end() || !found->second.capability ? nullptr
                                                                   : &*found->second.capability;
}

void KnownDomains::set_capability(const std::string& component, Capability capability) {
    const auto found = components_.find(component);
    if (found != components_.end()) found->second.capability = std::move(capability);
}

std::optional<mail::Domain> KnownDomains::next_of(const std::string& component,
                                                  const std::optional<mail::Domain>& after) const {
    const auto found = components_.find(component);
    if (found == components_.end()) return std::nullopt;
    const auto& domains = found->second.domains;
    const auto at = after ? domains.upper_bound(*after) : domains.begin();
    return at == domains.end() ? std::optional<mail::Domain>() : *at;
}

std::vector<std::string> KnownDomains::components(std::size_t most) const {
    std::vector<std::string> names;
    std::set<std::string> named;
    for (auto at = ranks_.rbegin(); at != ranks_.rend() && names.size() < most; ++at) {
        if (at->value == takes_no_mail) break;
        const std::string& component = entries_.at(*at->domain).component;
        if (named.insert(component).second) names.push_back(component);
    }
    return names;
}

std::vector<mail::Domain> KnownDomains::with_component(std::size_t most) const {
    std::vector<mail::Domain> domains;
    for (auto at = ranks_.rbegin(); at != ranks_.rend() && domains.size() < most; ++at) {
        if (at->value == takes_no_mail) break;
        domains.push_back(*at->domain);
    }
    return domains;
}

}  // namespace component
