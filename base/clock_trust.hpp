// ClockTrust: whether the wall clock can be believed, as far as a program can know that.
//
// The wall clock may be set by anybody, to any time, and back. So what cannot be undone is not done
// on its word alone: it is compared with the steady clock since the start, and at the start with
// the newest time that was written down before. A clock that has jumped is not believed until it is
// back, or has gone on for kProbation without another jump: it has to be believed some time, as it
// may have been the time before that was wrong. Slewing is no jump, and neither is the sleep of a
// machine (CLOCK_BOOTTIME). Any thread; cannot fail; no log of its own.
#pragma once

#include "base/clock.hpp"

#include <mutex>
#include <optional>

namespace base {

class ClockTrust {
  public:
    /// What both clocks may come apart by, between two looks, without having jumped: more than a
    /// leap second, slewing, or a correction by NTP that steps; less than anything that is decided
    /// by time would notice.
    static constexpr auto kJump = std::chrono::minutes(1);
    /// How long a clock that may be wrong goes on before it is believed after all.
    static constexpr auto kProbation = std::chrono::hours(1);
    /// No clock that shows less is ever believed: this program was written later.
    static constexpr TimePoint kEarliest = std::chrono::sys_days(std::chrono::January / 1 / 2026);
    /// At the start, how much older than now the newest time that is known may be: longer than an
    /// update of the host takes. A host that was off for longer waits for kProbation.
    static constexpr auto kPause = std::chrono::hours(24);

    enum class Doubt : std::uint8_t {
        none,
        behind,  ///< it is behind what was written down before the start
        ahead,   ///< it is far ahead of that
        jumped,  ///< since the start
    };
    struct State {
        Doubt doubt = Doubt::none;
        /// By how much the clock is ahead of what was expected; negative: behind.
        std::chrono::milliseconds by{};
        /// When it is believed after all, if it goes on as it does; nothing: only once it is set.
        std::optional<SteadyPoint> until{};
        /// How often it has been believed anew, the start included.
        std::uint64_t times_believed = 0;
        /// How often of these as it had gone on for long enough, and not as it was as expected.
        std::uint64_t times_accepted = 0;

        bool plausible() const { return doubt == Doubt::none; }
        /// What a clock that shows `now` would show if it had not been set since. One that was only
        /// found to be ahead at the start is taken at its word: mostly the host was off.
        TimePoint corrected(TimePoint now) const {
            return doubt == Doubt::jumped || doubt == Doubt::behind ? now - by : now;
        }
    };

    /// `newest`: the newest time that was written down by this host before; nothing: none is known.
    /// `clock` outlives this object.
    ClockTrust(const Clock& clock, std::optional<TimePoint> newest);

    /// Looks at both clocks. To be called every minute or so, and before each decision.
    State look();

  private:
    using Offset = std::chrono::milliseconds;

    void believe();
    /// Why it is not believed, or that it is.
    void doubt();
    /// By what was known at the start, as if no time had passed since.
    std::optional<Doubt> doubt_at_start() const;

    const Clock& clock_;
    std::mutex mutex_;
    std::optional<Offset> newest_;  ///< the newest time, less the steady clock at the start
    Offset offset_{};               ///< wall clock less steady clock, at the last look
    std::optional<Offset> good_;    ///< the same, when it was last believed
    SteadyPoint since_{};           ///< of `offset_`, but for slewing
    State state_;
};

/// `behind`, and so on: for logs.
const char* to_text(ClockTrust::Doubt doubt);

}  // namespace base
