#include "queue/retry_policy.hpp"

#include <algorithm>

namespace queue {

std::chrono::milliseconds RetryPolicy::wait(int attempts, base::Random& random,
                                            std::optional<std::chrono::seconds> asked) const {
    constexpr int kMostDoublings = 20;  // 2^20 times any sensible first wait is beyond any `most`
    const int doublings = std::clamp(attempts - 1, 0, kMostDoublings);
    auto wait = std::min(most, first * (std::int64_t{1} << doublings));
    if (const auto spread = wait.count() / 8; spread > 0)
        wait -= std::chrono::milliseconds(random.below(static_cast<std::uint64_t>(spread)));
    if (asked) wait = std::max(wait, std::min<std::chrono::milliseconds>(*asked, most));
    return wait;
}

base::TimePoint RetryPolicy::furthest(base::TimePoint now) const {
    constexpr auto kRoom = std::chrono::minutes(1);  // for a clock that is corrected by a little
    return now + std::max(first, most) + kRoom;
}

}  // namespace queue
