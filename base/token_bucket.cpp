#include "base/token_bucket.hpp"

#include <algorithm>
#include <cmath>
#include <ratio>

namespace base {
namespace {

using Hours = std::chrono::duration<double, std::ratio<3600>>;

/// Rounding, far below one.
constexpr double kHair = 1e-6;

}  // namespace

Rate Rate::of(std::uint64_t an_hour, std::chrono::milliseconds burst) {
    const Hours hours = burst;
    const auto each_hour = static_cast<double>(an_hour);
    return {each_hour, std::max(1.0, each_hour * hours.count())};
}

double TokenBucket::used(const Rate& rate, SteadyPoint now) const {
    const Hours passed = now - counted_;
    const double then = std::min(used_, rate.at_once + rate.an_hour);
    return std::max(0.0, then - rate.an_hour * passed.count());
}

void TokenBucket::add(double more, const Rate& rate, SteadyPoint now) {
    used_ = used(rate, now) + more;
    counted_ = now;
}

void TokenBucket::give_back(double less) {
    used_ = std::max(0.0, used_ - less);
}

std::chrono::seconds TokenBucket::wait(const Rate& rate, SteadyPoint now) const {
    const double beyond = used(rate, now) + 1 - rate.at_once;
    if (beyond <= kHair) return std::chrono::seconds(0);
    const std::chrono::duration<double> wait = Hours(beyond / rate.an_hour);
    return std::chrono::seconds(static_cast<std::int64_t>(std::ceil(wait.count())));
}

}  // namespace base
