// What the daemon says of its clock, and what `check` makes of it.
#include "app/daemon/clock_answer.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

TEST_CASE("of a clock that is believed there is nothing to say") {
    support::ManualClock clock;
    base::ClockTrust trust(clock, std::nullopt);
    const auto answer = app::clock_answer(trust.look(), clock);
    CHECK(answer.at("doubt").as_string() == "none");
    CHECK_FALSE(app::clock_trouble(answer));
    CHECK_FALSE(app::clock_trouble({}));
}

TEST_CASE("of one that is not: why, by how much, and for how long") {
    support::ManualClock clock;
    base::ClockTrust trust(clock, std::nullopt);
    clock.jump(-24h * 8);
    trust.look();
    clock.advance(20min);
    const auto answer = app::clock_answer(trust.look(), clock);
    CHECK(answer.at("by").as_int64() == -24 * 8 * 3600);
    CHECK(answer.at("until").as_int64() == 40 * 60);
    CHECK(app::clock_trouble(answer) ==
          "clock: it has jumped back by 8 days: until it is right, nothing expires, and nothing is "
          "forgotten, for 40 minutes more: see to its synchronisation (timedatectl)");

    clock.jump(24h * 8);
    base::ClockTrust later(clock, clock.now() - 24h * 30);
    CHECK(
        app::clock_trouble(app::clock_answer(later.look(), clock))
            ->starts_with(
                "clock: it is 30 days ahead of what the queue has seen last, as after a pause: "));
    base::ClockTrust early(clock, clock.now() + 3h);
    CHECK(app::clock_trouble(app::clock_answer(early.look(), clock))
              ->starts_with("clock: it is 3 hours behind what the queue has seen before: "));
}

TEST_CASE("one that will never be believed has no end of that") {
    support::ManualClock clock;
    clock.jump(-clock.now().time_since_epoch());
    base::ClockTrust trust(clock, std::nullopt);
    const auto answer = app::clock_answer(trust.look(), clock);
    CHECK(answer.at("until").is_null());
    CHECK(app::clock_trouble(answer)->find("forgotten: see to") != std::string::npos);
}
