// HarvestGuard: how many recipients a peer may guess wrong, so that it does not learn our users'
// addresses by asking for all of them.
//
// A peer has an allowance of wrong guesses: kAtOnce, and kInMinute more each minute until it is
// full again. What is being looked up is taken from it before, and given back if it was no wrong
// guess, so that never more comes of many requests at the same time. Pure but for the time that it
// is told; event loop. Bounded in peers: beyond kPeers, all strangers share one allowance.
#pragma once

#include "base/clock.hpp"
#include "base/limits.hpp"

#include <map>
#include <string>

namespace component {

class HarvestGuard {
  public:
    /// Refused recipients that a peer may have at once, and then in each minute: all of one mail,
    /// as of a list with old subscribers, or the good ones behind them would have to wait.
    static constexpr double kAtOnce = base::limits::kRecipients;
    static constexpr double kInMinute = 50;
    static constexpr std::size_t kPeers = 1000;

    /// Recipients that are being looked up. It must be given back to answered().
    struct Asking {
        std::string whose;           ///< allowance it is taken from
        std::size_t recipients = 0;  ///< none: the allowance is used up ...
        bool may_be_more = false;    ///< ... for as long as others are being looked up
    };

    /// As many of `recipients` as `peer` may have looked up now.
    Asking ask(const std::string& peer, std::size_t recipients, base::SteadyPoint now);
    /// `refused` of them were wrong guesses.
    void answered(const Asking& asking, std::size_t refused, base::SteadyPoint now);

    std::size_t remembered() const { return peers_.size(); }

  private:
    struct Allowance {
        double left = kAtOnce;
        std::size_t asking = 0;  ///< recipients that are being looked up: not in `left`
        base::SteadyPoint since{};

        void refill(base::SteadyPoint now);
        /// It is as if it had never been.
        bool is_whole() const { return asking == 0 && left >= kAtOnce; }
    };

    std::map<std::string, Allowance> peers_;  ///< at most kPeers and one; `""` for all others
};

}  // namespace component
