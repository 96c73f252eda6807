// TokenBucket: how much of what may come in an hour has been used up. It runs out by so much an
// hour as is allowed in one.
//
// A value without a clock or a rate of its own: whoever asks brings both, so that a changed rate
// counts at once. The steady clock: no clock that is set gives anything away, or takes it.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <cstdint>

namespace base {

struct Rate {
    double an_hour = 0;
    double at_once = 1;  ///< how much may come together, one at least

    /// What may come within `burst` may come at once.
    static Rate of(std::uint64_t an_hour, std::chrono::milliseconds burst);
};

class TokenBucket {
  public:
    /// However much that was, and whatever the rate was then: after an hour of silence what may
    /// come at once may be used again.
    double used(const Rate& rate, SteadyPoint now) const;
    /// Whether there is room or not.
    void add(double more, const Rate& rate, SteadyPoint now);
    void give_back(double less);
    /// Until there is room for one more; zero if there is. Whole seconds, rounded up.
    std::chrono::seconds wait(const Rate& rate, SteadyPoint now) const;

  private:
    double used_ = 0;
    SteadyPoint counted_{};
};

}  // namespace base
