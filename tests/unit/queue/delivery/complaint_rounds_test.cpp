#include "queue/delivery/complaint_rounds.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

namespace {

base::TimePoint at(const char* text) {
    return base::parse_datetime(text).value();
}

}  // namespace

TEST_CASE("complaints go at midnight, and not within six hours of the click") {
    CHECK(queue::complaints_until(at("2026-12-01T00:00:00Z"), 24h) == at("2026-11-30T18:00:00Z"));
    CHECK(queue::complaints_until(at("2026-12-01T13:14:15Z"), 24h) == at("2026-11-30T18:00:00Z"));
    CHECK(queue::complaints_until(at("2026-12-01T23:59:59Z"), 24h) == at("2026-11-30T18:00:00Z"));
    CHECK(queue::complaints_until(at("2026-12-02T00:00:00Z"), 24h) == at("2026-12-01T18:00:00Z"));
    CHECK(queue::complaints_until(at("2026-12-01T13:14:15Z"), 1h) == at("2026-12-01T12:45:00Z"));
}
