#include "smtp-bridge/client/link_limit.hpp"

#include <algorithm>

namespace smtp_bridge {
namespace {
/// After this long one link more is tried; and after as long again, another one.
constexpr auto kDoubt = std::chrono::minutes(1);
}  // namespace

std::size_t LinkLimit::most(TimePoint now) const {
    if (learned_ == wanted_) return wanted_;
    const auto doubts = std::max<std::int64_t>((now - at_) / kDoubt, 0);
    return std::min(wanted_, learned_ + static_cast<std::size_t>(doubts));
}

bool LinkLimit::refused(std::size_t open, TimePoint now) {
    learned_ = std::clamp<std::size_t>(open, 1, wanted_);
    at_ = now;
    if (learned_ >= known_) return false;
    known_ = learned_;
    return true;
}

}  // namespace smtp_bridge
