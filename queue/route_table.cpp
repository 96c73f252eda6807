#include "queue/route_table.hpp"

#include "base/limits.hpp"

#include <mutex>

namespace queue {

Route RouteTable::find(const mail::Domain& domain) const {
    const std::shared_lock lock(mutex_);
    const auto found = routes_.find(domain.ascii());
    return found == routes_.end() ? Route::unknown : found->second;
}

void RouteTable::set(const mail::Domain& domain, Route route) {
    const std::unique_lock lock(mutex_);
    if (route == Route::unknown) {
        routes_.erase(domain.ascii());
        return;
    }
    if (routes_.size() >= base::limits::kKnownDomains && !routes_.contains(domain.ascii())) {
        // What is forgotten here is looked up again when it is asked for.
        std::erase_if(routes_, [](const auto& entry) { return entry.second == Route::smtp; });
    }
    routes_[domain.ascii()] = route;
}

std::size_t RouteTable::size() const {
    const std::shared_lock lock(mutex_);
    return routes_.size();
}

}  // namespace queue
