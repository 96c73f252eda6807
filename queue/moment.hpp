// Moment: what the rules of delivery go by beside the mail: the time, and how long to wait.
//
// Tested by tests/unit/queue/delivery/settling_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/retry_policy.hpp"

#include <algorithm>
#include <chrono>

namespace queue {

struct Moment {
    base::TimePoint now;
    base::SteadyPoint steady;
    base::SteadyPoint opened_at;  ///< the start of this process
    /// Whether the clock is (base/clock_trust.hpp): what cannot be undone, to expire, to bounce, to
    /// go by SMTP, is not done without.
    bool is_believed = true;
    RetryPolicy retry;

    /// `time` has passed, and what is to end then may end.
    bool is_over(base::TimePoint time) const { return time <= now && is_believed; }
    /// For how long it has been so since `time`; nothing if that lies in the future.
    std::chrono::milliseconds age_of(base::TimePoint time) const {
        return std::max(now - time, base::TimePoint::duration::zero());
    }
};

}  // namespace queue
