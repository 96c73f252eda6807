// Dates: XEP-0082 in and out, RFC 5322 out.
#include "base/clock.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using base::Errc;
using base::parse_datetime;
using base::TimePoint;
using namespace std::chrono_literals;

namespace {

TimePoint at(std::int64_t seconds) {
    return TimePoint(std::chrono::seconds(seconds));
}

}  // namespace

// XEP-0082 3.2, RFC 5322 3.3.
TEST_CASE("a date is written as XEP-0082 and RFC 5322 have it") {
    CHECK(base::to_datetime(at(0)) == "1970-01-01T00:00:00Z");
    CHECK(base::to_datetime(at(1796083200)) == "2026-12-01T00:00:00Z");
    CHECK(base::to_datetime(at(1796083200) + 999ms) == "2026-12-01T00:00:00Z");
    CHECK(base::to_rfc5322_date(at(0)) == "Thu, 01 Jan 1970 00:00:00 +0000");
    CHECK(base::to_rfc5322_date(at(1796083200)) == "Tue, 01 Dec 2026 00:00:00 +0000");
    CHECK(base::to_rfc5322_date(at(1709210096)) == "Thu, 29 Feb 2024 12:34:56 +0000");
}

// XEP-0082 3.2.
TEST_CASE("a date in milliseconds is read as it is written, and in no other form") {
    CHECK(base::to_precise_datetime(at(1796083200) + 7ms) == "2026-12-01T00:00:00.007Z");
    for (const auto part : {0ms, 7ms, 70ms, 999ms})
        CHECK(*base::parse_precise_datetime(base::to_precise_datetime(at(1796083200) + part)) ==
              at(1796083200) + part);
    for (const char* const bad : {"", "Z", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00.07Z",
                                  "2026-12-01T00:00:00.0070Z", "2026-12-01T00:00:00.-07Z",
                                  "2026-12-01T00:00:00.007+01:00", "2016-12-31T23:59:60.007Z"}) {
        CAPTURE(bad);
        CHECK(base::parse_precise_datetime(bad).error().code == Errc::syntax);
    }
}

// XEP-0082 3.2.
TEST_CASE("a date is read with Z or an offset") {
    const struct {
        const char* text;
        std::int64_t seconds;
    } table[] = {
        {"2026-12-01T00:00:00Z", 1796083200},
        {"2026-12-01T01:30:00+01:30", 1796083200},
        {"2026-11-30T19:00:00-05:00", 1796083200},
        {"2026-12-01T00:00:00.123456789Z", 1796083200},
        {"1970-01-01T00:00:00Z", 0},
        {"2024-02-29T12:34:56Z", 1709210096},
        {"2016-12-31T23:59:60Z", 1483228800},  // a leap second
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto time = parse_datetime(row.text);
        REQUIRE(time.has_value());
        CHECK(*time == at(row.seconds));
    }
}

TEST_CASE("anything else is no date") {
    for (const char* bad : {"",
                            "2026-12-01",
                            "2026-12-01T00:00:00",
                            "2026-12-01 00:00:00Z",
                            "2026-13-01T00:00:00Z",
                            "2026-02-29T00:00:00Z",
                            "2026-00-01T00:00:00Z",
                            "2026-12-01T24:00:00Z",
                            "2026-12-01T00:60:00Z",
                            "2026-12-01T00:00:61Z",
                            "2026-12-01T00:00:00.Z",
                            "2026-12-01T00:00:00Zx",
                            "2026-12-01T00:00:00+1:00",
                            "2026-12-01T00:00:00+24:00",
                            "2026-12-01T00:00:00+00:60",
                            "1969-12-31T23:59:59Z",
                            "2201-01-01T00:00:00Z",
                            "-026-12-01T00:00:00Z",
                            "2026--1-01T00:00:00Z",
                            "2026-12-01T-1:00:00Z",
                            "20261201T00:00:00Z",
                            "2026-12-01t00:00:00z",
                            " 2026-12-01T00:00:00Z"}) {
        CAPTURE(bad);
        REQUIRE(parse_datetime(bad).has_error());
        CHECK(parse_datetime(bad).error().code == Errc::syntax);
    }
}

TEST_CASE("what is written is read as the same second") {
    for (std::int64_t seconds = 0; seconds < 7'000'000'000; seconds += 98'765'431) {
        REQUIRE(*parse_datetime(base::to_datetime(at(seconds))) == at(seconds));
    }
}

TEST_CASE("no prefix of a date is a date") {
    const std::string_view whole = "2026-12-01T01:30:00.5+01:30";
    REQUIRE(parse_datetime(whole).has_value());
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(parse_datetime(whole.substr(0, size)).has_error());
}

TEST_CASE("the system's clock tells the time, the test's what it is told") {
    CHECK(base::SystemClock().now() > at(1'700'000'000));
    support::ManualClock clock;
    const auto before = clock.now();
    clock.advance(5min);
    CHECK(clock.now() - before == 5min);
}

TEST_CASE("the steady clock goes on however the wall clock is set, and `{}` is long ago") {
    const base::SystemClock system;
    CHECK(system.steady() - base::SteadyPoint() > 24h * 365);
    CHECK(system.steady() <= system.steady());
    support::ManualClock clock;
    const auto before = clock.steady();
    clock.jump(-1h);
    CHECK(clock.steady() == before);
    clock.advance(1min);
    CHECK(clock.steady() == before + 1min);
    CHECK(base::steady_at(clock, clock.now() + 5s) == clock.steady() + 5s);
    CHECK(base::steady_at(clock, clock.now() - 5s) == clock.steady());
    CHECK(base::steady_at(clock, base::TimePoint::max()) == base::SteadyPoint::max());
    CHECK(base::wall_at(clock, clock.steady() + 5s) == clock.now() + 5s);
}
