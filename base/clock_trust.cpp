#include "base/clock_trust.hpp"

#include <utility>

namespace base {
namespace {

std::chrono::milliseconds offset_of(const Clock& clock) {
    return clock.now().time_since_epoch() - clock.steady().time_since_epoch();
}

}  // namespace

ClockTrust::ClockTrust(const Clock& clock, std::optional<TimePoint> newest)
    : clock_(clock), offset_(offset_of(clock)), since_(clock.steady()) {
    if (newest) newest_ = newest->time_since_epoch() - since_.time_since_epoch();
    if (!doubt_at_start()) believe();
    doubt();
}

std::optional<ClockTrust::Doubt> ClockTrust::doubt_at_start() const {
    if (clock_.now() < kEarliest) return Doubt::behind;
    if (!newest_) return std::nullopt;
    if (offset_ < *newest_ - kJump) return Doubt::behind;
    if (offset_ > *newest_ + kPause) return Doubt::ahead;
    return std::nullopt;
}

void ClockTrust::believe() {
    good_ = offset_;
    ++state_.times_believed;
}

void ClockTrust::doubt() {
    if (good_ == offset_) {
        state_.doubt = Doubt::none;
        state_.by = {};
        return;
    }
    state_.doubt = good_ ? Doubt::jumped : doubt_at_start().value_or(Doubt::jumped);
    const Offset least = kEarliest.time_since_epoch() - clock_.steady().time_since_epoch();
    state_.by = offset_ - good_.value_or(newest_.value_or(least));
    state_.until.reset();
    if (clock_.now() >= kEarliest) state_.until = since_ + kProbation;
}

ClockTrust::State ClockTrust::look() {
    const std::lock_guard lock(mutex_);
    const Offset before = std::exchange(offset_, offset_of(clock_));
    const SteadyPoint now = clock_.steady();
    const bool jumps = std::chrono::abs(offset_ - before) > kJump;
    if (jumps) since_ = now;
    if (state_.plausible() && !jumps) {
        good_ = offset_;  // it may be slewed, for days
        return state_;
    }
    // Where it was never believed, what was known at the start is all there is.
    const bool back = good_ ? std::chrono::abs(offset_ - *good_) <= kJump : !doubt_at_start();
    const bool goes_on = now - since_ >= kProbation && clock_.now() >= kEarliest;
    if (back || goes_on) believe();
    if (goes_on && !back) ++state_.times_accepted;
    doubt();
    return state_;
}

const char* to_text(ClockTrust::Doubt doubt) {
    switch (doubt) {
        case ClockTrust::Doubt::none:
            return "none";
        case ClockTrust::Doubt::behind:
            return "behind";
        case ClockTrust::Doubt::ahead:
            return "ahead";
        case ClockTrust::Doubt::jumped:
            return "jumped";
    }
    return "none";
}

}  // namespace base
