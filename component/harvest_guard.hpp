// HarvestGuard: how many recipients a peer may guess wrong, so that it does not learn our users'
// addresses by asking for all of them.
//
// Pure but for the time that it is told; event loop. Bounded in peers: beyond kPeers, all strangers
// share one allowance.
#pragma once

#include "base/clock.hpp"

#include <map>
#include <string>

namespace component {

class HarvestGuard {
  public:
    /// Refused recipients that a peer may have at once, as a list with old subscribers has, and
    /// then in each minute.
    static constexpr double kAtOnce = 500;
    static constexpr double kInMinute = 50;
    static constexpr std::size_t kPeers = 1000;

    /// False if its recipients are not to be looked up now.
    bool may_ask(const std::string& peer, base::TimePoint now);
    void refused(const std::string& peer, std::size_t recipients, base::TimePoint now);

  private:
    struct Allowance {
        double left = kAtOnce;
        base::TimePoint since{};
    };

    Allowance& of(const std::string& peer, base::TimePoint now);

    std::map<std::string, Allowance> peers_;  ///< at most kPeers and one; `""` for all others
};

}  // namespace component
