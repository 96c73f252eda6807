#include "queue/peers/off_switch.hpp"

#include <algorithm>

namespace queue {

using std::chrono::milliseconds;

base::Task<base::Result<void>> OffSwitch::load() {
    const LoadOff load;
    auto kept = co_await storage_.read(load);
    if (!kept) co_return kept.error();
    off_ = *kept;
    if (!off_ || !off_->until) co_return base::Result<void>();
    const milliseconds span = std::max(*off_->until - off_->since, milliseconds::zero());
    // Of a clock that may be wrong nothing is known but that it is no longer than that.
    const bool is_believed = trust_.look().plausible();
    end_in(is_believed ? std::clamp(*off_->until - clock_.now(), milliseconds::zero(), span)
                       : span);
    co_return base::Result<void>();
}

base::Task<base::Result<void>> OffSwitch::keep(std::optional<Off> off) {
    SetOff set{off};
    const auto done = co_await storage_.write(std::move(set));
    if (!done) co_return done.error();
    off_ = off;
    co_return base::Result<void>();
}

base::Task<base::Result<void>> OffSwitch::turn_off(std::optional<base::TimePoint> until) {
    const base::TimePoint now = clock_.now();
    Off off{off_ ? std::min(off_->since, now) : now, until};
    const base::Result<void> kept = co_await keep(off);
    if (kept && until) end_in(*until - now);
    co_return kept;
}

base::Task<base::Result<void>> OffSwitch::turn_on() {
    const base::Result<void> kept = co_await keep(std::nullopt);
    co_return kept;
}

bool OffSwitch::is_over() const {
    if (!off_ || !off_->until) return false;
    if (clock_.steady() >= ends_at_) return true;
    return clock_.now() >= *off_->until && trust_.look().plausible();
}

std::optional<milliseconds> OffSwitch::left() const {
    if (!off_ || !off_->until) return std::nullopt;
    return std::max(ends_at_ - clock_.steady(), milliseconds::zero());
}

}  // namespace queue
