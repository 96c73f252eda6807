// Discovery: from whom mail of ours has had a verdict, which is to whom our promises bind us.
#include "component/discovery/discovery.hpp"

namespace component {

void Discovery::bind(const mail::Domain& domain) {
    if (!bonded_) return;
    const KnownDomain* const entry = known_.find(domain);
    // Who enforces our promise does so by the domain that mail is for, whichever component of it
    // takes that by now.
    const bool is_bound =
        entry != nullptr && (known_.is_correspondent(entry->component) || entry->was_sent);
    bonded_(domain, is_bound ? entry->component : std::string());
}

/// With its first verdict: its other domains are bound, too.
void Discovery::bind_all_of(const std::string& component) {
    for (auto domain = next_of(component, {}); domain; domain = next_of(component, domain))
        bind(*domain);
}

}  // namespace component
