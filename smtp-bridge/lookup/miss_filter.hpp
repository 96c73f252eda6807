// MissFilter: decides which unknown domains of route lookups are worth a discovery, so that what
// strangers make Postfix ask for can start only a little. Pure; used by the route thread alone.
#pragma once

#include "mail/domain.hpp"
#include "mail/organisation.hpp"

#include <chrono>
#include <map>

namespace smtp_bridge {

class MissFilter {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// False if the domain was let through a moment ago, or a few others of its organisation, or
    /// limits::kRouteMisses others were.
    bool lets_through(const mail::Domain& domain, TimePoint now);

  private:
    struct Miss {
        mail::Organisation whose;
        TimePoint at;
    };
    std::map<mail::Domain, Miss> recent_;  ///< at most limits::kRouteMisses
};

}  // namespace smtp_bridge
