// Clock: both clocks as a port, so that tests can run through five days in a moment.
//
// The wall clock says what is written down: it survives a restart, and anybody may set it, to any
// time. How long something takes, or took, is measured by the steady clock, which nobody sets.
// Their points are of different types, so that one is never compared with the other by mistake.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace base {

/// UTC, to the millisecond: what the queue stores.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

/// The clock of a SteadyPoint. Only Clock reads it.
struct SteadyTime {
    using duration = std::chrono::milliseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<SteadyTime>;
    static constexpr bool is_steady = true;
};
/// To the millisecond. `{}` is long ago. Means nothing to another process.
using SteadyPoint = SteadyTime::time_point;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
    /// Never goes back, and does not jump.
    virtual SteadyPoint steady() const = 0;
};

/// CLOCK_REALTIME, and CLOCK_BOOTTIME, which goes on while the machine sleeps. Any thread.
class SystemClock final : public Clock {
  public:
    TimePoint now() const override;
    SteadyPoint steady() const override;
};

/// What the steady clock shows when the wall clock shows `time`, if nobody sets that: now, if it is
/// over.
SteadyPoint steady_at(const Clock& clock, TimePoint time);
/// The reverse: a time to be written down.
TimePoint wall_at(const Clock& clock, SteadyPoint time);

/// `2026-12-01T00:00:00Z` (DateTime of XEP-0082 3.2, in whole seconds).
std::string to_datetime(TimePoint time);
/// `2026-12-01T00:00:00.000Z` (DateTime of XEP-0082 3.2, in milliseconds).
std::string to_precise_datetime(TimePoint time);
/// The reverse; Errc::syntax for any other form.
Result<TimePoint> parse_precise_datetime(std::string_view text);
/// Reads a DateTime of XEP-0082 3.2 with `Z` or a numeric offset; fractions of a second are
/// dropped. Errc::syntax for anything else, and for years before 1970 or after 2200.
Result<TimePoint> parse_datetime(std::string_view text);
/// `Tue, 01 Dec 2026 00:00:00 +0000` (RFC 5322 3.3).
std::string to_rfc5322_date(TimePoint time);

}  // namespace base
