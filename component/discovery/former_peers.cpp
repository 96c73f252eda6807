#include "component/discovery/former_peers.hpp"

namespace component {
namespace {

// Domains: a large host's, all at once. They were peers, so that nobody fills this with mere names.
constexpr std::size_t kRemembered = 5000;

}  // namespace

void FormerPeers::left(const std::string& component, const mail::Domain& domain,
                       base::SteadyPoint now) {
    returned(domain);
    if (entries_.size() >= kRemembered) {
        const mail::Domain oldest = by_age_.begin()->second;
        returned(oldest);
    }
    entries_.emplace(domain, Entry{component, now});
    by_age_.emplace(now, domain);
    domains_[component].insert(domain);
}

void FormerPeers::returned(const mail::Domain& domain) {
    const auto found = entries_.find(domain);
    if (found == entries_.end()) return;
    by_age_.erase({found->second.since, domain});
    const auto served = domains_.find(found->second.component);
    served->second.erase(domain);
    if (served->second.empty()) domains_.erase(served);
    entries_.erase(found);
}

std::vector<mail::Domain> FormerPeers::domains_of(const std::string& component) const {
    const auto found = domains_.find(component);
    if (found == domains_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

}  // namespace component
