// Clock: the wall clock as a port, so that tests can run through five days in a moment.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace base {

/// UTC, to the millisecond: what the queue stores.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
  public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;
};

/// CLOCK_REALTIME. Any thread.
class SystemClock final : public Clock {
  public:
    TimePoint now() const override;
};

/// `2026-12-01T00:00:00Z` (XEP-0082 DateTime, in whole seconds).
std::string to_datetime(TimePoint time);
/// Reads a XEP-0082 DateTime with `Z` or a numeric offset; fractions of a second are dropped.
/// Errc::syntax for anything else, and for years before 1970 or after 2200.
Result<TimePoint> parse_datetime(std::string_view text);
/// `Tue, 01 Dec 2026 00:00:00 +0000` (RFC 5322 section 3.3).
std::string to_rfc5322_date(TimePoint time);

}  // namespace base
