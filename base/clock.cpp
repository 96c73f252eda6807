#include "base/clock.hpp"

#include "base/clock_offset.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

namespace base {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::hh_mm_ss;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::year_month_day;

/// The steady clock began so long before the machine did, so that `{}` is long ago right after its
/// start, too.
constexpr auto kBeforeBoot = std::chrono::hours(24 * 365 * 10);

/// Takes exactly `digits` decimal digits from the front of `text`.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits) return false;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc() || end != text.data() + digits || text.front() == '-') return false;
    text.remove_prefix(digits);
    return true;
}

bool take_char(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted) return false;
    text.remove_prefix(1);
    return true;
}

/// `Z`, `+hh:mm` or `-hh:mm`, and nothing behind it.
bool take_offset(std::string_view& text, minutes& offset) {
    if (take_char(text, 'Z')) return text.empty();
    const bool negative = !text.empty() && text.front() == '-';
    if (!negative && (text.empty() || text.front() != '+')) return false;
    text.remove_prefix(1);
    int hour = 0;
    int minute = 0;
    if (!take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute))
        return false;
    if (hour > 23 || minute > 59) return false;
    offset = minutes((hour * 60 + minute) * (negative ? -1 : 1));
    return text.empty();
}

}  // namespace

TimePoint SystemClock::now() const {
    return floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + clock_offset();
}

SteadyPoint SystemClock::steady() const {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);  // cannot fail: every Linux since 2.6.39 has it
    const auto since_boot = seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return SteadyPoint(kBeforeBoot + floor<std::chrono::milliseconds>(since_boot));
}

SteadyPoint steady_at(const Clock& clock, TimePoint time) {
    if (time == TimePoint::max()) return SteadyPoint::max();
    return clock.steady() + std::max(time - clock.now(), TimePoint::duration::zero());
}

TimePoint wall_at(const Clock& clock, SteadyPoint time) {
    return clock.now() + (time - clock.steady());
}

std::string to_datetime(TimePoint time) {
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<seconds>(time - day));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()),
                       unsigned(date.month()), unsigned(date.day()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

std::string to_precise_datetime(TimePoint time) {
    std::string text = to_datetime(time);
    text.pop_back();
    return fmt::format("{}.{:03}Z", text, (time - floor<seconds>(time)).count());
}

Result<TimePoint> parse_precise_datetime(std::string_view text) {
    const auto whole = parse_datetime(text);
    std::string_view end = text.substr(text.size() - std::min<std::size_t>(text.size(), 4));
    int fraction = 0;
    if (whole && take_number(end, 3, fraction)) {
        const TimePoint time = *whole + milliseconds(fraction);
        if (to_precise_datetime(time) == text) return time;
    }
    return fail(Errc::syntax, "not a date and time of the form 2026-12-01T00:00:00.000Z");
}

Result<TimePoint> parse_datetime(std::string_view text) {
    const auto bad = [] {
        return fail(Errc::syntax, "not a date and time of the form 2026-12-01T00:00:00Z");
    };
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    if (!take_number(text, 4, year) || !take_char(text, '-') || !take_number(text, 2, month) ||
        !take_char(text, '-') || !take_number(text, 2, day) || !take_char(text, 'T') ||
        !take_number(text, 2, hour) || !take_char(text, ':') || !take_number(text, 2, minute) ||
        !take_char(text, ':') || !take_number(text, 2, second)) {
        return bad();
    }
    if (take_char(text, '.')) {
        std::size_t digits = 0;
        while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
            ++digits;
        if (digits == 0) return bad();
        text.remove_prefix(digits);
    }
    minutes offset{0};
    if (!take_offset(text, offset)) return bad();
    const year_month_day date{std::chrono::year(year), std::chrono::month(unsigned(month)),
                              std::chrono::day(unsigned(day))};
    if (!date.ok() || year < 1970 || year > 2200 || hour > 23 || minute > 59 || second > 60)
        return bad();
    return TimePoint(std::chrono::sys_days(date) + std::chrono::hours(hour) + minutes(minute) +
                     seconds(second) - offset);
}

std::string to_rfc5322_date(TimePoint time) {
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<seconds>(time - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} +0000",
                       kDays[std::chrono::weekday(day).c_encoding()], unsigned(date.day()),
                       kMonths[unsigned(date.month()) - 1], int(date.year()), clock.hours().count(),
                       clock.minutes().count(), clock.seconds().count());
}

}  // namespace base
