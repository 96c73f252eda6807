// RouteTable: what discovery knows, as a table that any thread can read at once.
#pragma once

#include "mail/domain.hpp"

#include <functional>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace queue {

enum class Route { unknown, smtp, xmpp };

/// Written by discovery on the event loop, read by the route lookup on a thread of its own. Bounded
/// by limits::kKnownDomains: beyond it, negative entries are dropped.
class RouteTable {
  public:
    Route find(const mail::Domain& domain) const;
    void set(const mail::Domain& domain, Route route);  ///< Route::unknown forgets it
    std::size_t size() const;

  private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<std::string, Route> routes_;
};

}  // namespace queue
