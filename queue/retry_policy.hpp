// RetryPolicy: when a recipient, or a destination that is out, is tried again (RFC 5321 4.5.4.1).
// Pure.
#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"

#include <chrono>
#include <optional>

namespace queue {

struct RetryPolicy {
    std::chrono::milliseconds first = std::chrono::minutes(5);
    std::chrono::milliseconds most = std::chrono::seconds(4000);

    /// The wait after `attempts` failed ones (1 or more): doubles from `first` up to `most`, less
    /// up to an eighth at random, so that what failed together does not come back together. At
    /// least what the remote asked for, though never more than `most`.
    std::chrono::milliseconds wait(int attempts, base::Random& random,
                                   std::optional<std::chrono::seconds> asked = std::nullopt) const;
    /// Nothing waits beyond it. What is said to be due later was written while the clock was ahead,
    /// and counts as due.
    base::TimePoint furthest(base::TimePoint now) const;
};

}  // namespace queue
