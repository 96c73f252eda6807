// Until when it is off, as an administrator says it, and as they are told.
#include "app/daemon/off_json.hpp"

#include "support/catch_result.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

namespace {

const base::TimePoint kNoon = *base::parse_datetime("2026-11-30T12:00:00Z");

}  // namespace

TEST_CASE("until: a while, or a time that is to come") {
    CHECK(app::read_until("", kNoon).value() == std::nullopt);
    CHECK(app::read_until("90m", kNoon).value() == kNoon + 90min);
    CHECK(app::read_until("2026-11-30T14:00:00+01:00", kNoon).value() == kNoon + 1h);
    for (const char* const wrong :
         {"2", "soon", "0h", "-2h", "2h 3m", "2026-11-30T12:00:00Z", "2026-11-29T12:00:00Z",
          "2026-11-30", "2027-12-02T12:00:00Z", "400d"})
        CHECK_FALSE(app::read_until(wrong, kNoon));
}

TEST_CASE("what is said of it") {
    boost::json::object status;
    CHECK(app::off_text(status).empty());
    status["off"] = app::off_answer(std::nullopt);
    CHECK(status.at("off").is_null());
    CHECK(app::off_text(status).empty());
    status["off"] = app::off_answer(queue::Off{kNoon, std::nullopt});
    CHECK(status.at("off").as_object().at("until").is_null());
    CHECK(app::off_text(status).starts_with("off since 2026-11-30T12:00:00Z, until packetboat on"));
    status["off"] = app::off_answer(queue::Off{kNoon, kNoon + 2h});
    CHECK(app::off_text(status).starts_with(
        "off since 2026-11-30T12:00:00Z, until 2026-11-30T14:00:00Z: "));
}
