// NextHops: the servers that take the mail of one destination, the best first.
//
// On the event loop. One that can't be reached, or is silent, is passed over until it answers
// again, which is tried beside the mail; only when none can be reached does mail wait.
#pragma once

#include "smtp-bridge/client/pools.hpp"

#include <string>
#include <vector>

namespace smtp_bridge {

class NextHops {
  public:
    /// `targets`: at least one. `pools` has to outlive this.
    NextHops(Pools& pools, const std::vector<Target>& targets);

    /// Pool::take of the first that can be reached; else the last one's refusal. While others could
    /// take the mail, none gets more than ClientTimes::patience.
    base::Task<Pool::Taken> take(Pool::Want want, std::optional<Pool::TimePoint> until);
    /// Set if a moment ago none could be reached.
    std::optional<mail::Reply> recent_failure() const;
    std::size_t size() const { return pools_.size(); }
    /// For logs and answers: `smtp:127.0.0.1:2526`, with commas between several.
    const std::string& name() const { return name_; }

  private:
    std::vector<Pool*> pools_;
    std::string name_;
};

/// Which link what is left of a mail, or of a question, gets after the last one did not do for all
/// of it; and whether one more is of use.
class Attempts {
  public:
    Attempts(const NextHops& hops, std::size_t left) : silences_(hops.size()), left_(left) {}

    Pool::Want want() const { return want_; }
    /// `link` was used, and `left` recipients still have no word of the server.
    bool go_on(const Client& link, std::size_t left);

  private:
    std::size_t silences_;  ///< servers that may still turn out to be silent
    std::size_t left_;
    Pool::Want want_ = Pool::Want::any;
};

}  // namespace smtp_bridge
