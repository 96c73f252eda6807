#include "queue/route_table.hpp"

#include "base/limits.hpp"

#include <mutex>
#include <vector>

namespace queue {

Route RouteTable::find(const mail::Domain& domain) const {
    if (ours_.contains(domain.ascii())) return Route::smtp;
    const std::shared_lock lock(mutex_);
    if (closed_) return Route::smtp;
    const auto found = routes_.find(domain.ascii());
    return found == routes_.end() ? Route::unknown : found->second;
}

void RouteTable::set(const mail::Domain& domain, Route route) {
    const std::string& name = domain.ascii();
    if (ours_.contains(name)) return;
    bool was_xmpp = false;
    bool closed = false;
    {
        const std::unique_lock lock(mutex_);
        const auto found = routes_.find(name);
        was_xmpp = found != routes_.end() && found->second == Route::xmpp;
        closed = closed_;
        if (route == Route::unknown) {
            routes_.erase(name);
        } else {
            if (routes_.size() >= base::limits::kKnownDomains && found == routes_.end()) {
                // What is forgotten here is looked up again when it is asked for.
                std::erase_if(routes_,
                              [](const auto& entry) { return entry.second == Route::smtp; });
            }
            routes_[name] = route;
        }
    }
    const bool is_xmpp = route == Route::xmpp;
    if (on_change_ && !closed && is_xmpp != was_xmpp) on_change_(name, is_xmpp);
}

void RouteTable::close(bool closed) {
    std::vector<std::string> changed;
    {
        const std::unique_lock lock(mutex_);
        if (closed_ == closed) return;
        closed_ = closed;
        for (const auto& [domain, route] : routes_) {
            if (route == Route::xmpp) changed.push_back(domain);
        }
    }
    if (!on_change_) return;
    for (const std::string& domain : changed)
        on_change_(domain, !closed);
}

std::vector<std::string> RouteTable::xmpp_domains() const {
    const std::shared_lock lock(mutex_);
    std::vector<std::string> domains;
    for (const auto& [domain, route] : routes_) {
        if (!closed_ && route == Route::xmpp) domains.push_back(domain);
    }
    return domains;
}

std::size_t RouteTable::size() const {
    const std::shared_lock lock(mutex_);
    return routes_.size();
}

}  // namespace queue
