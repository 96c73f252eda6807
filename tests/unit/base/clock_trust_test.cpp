// ClockTrust: which clocks are believed, from when on, and for how long not.
#include "base/clock_trust.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using base::ClockTrust;
using Doubt = base::ClockTrust::Doubt;
using support::ManualClock;
using namespace std::chrono_literals;

TEST_CASE("a clock that goes on is believed, and so is one that is slewed, for however long") {
    ManualClock clock;
    ClockTrust trust(clock, std::nullopt);
    CHECK(trust.look().plausible());
    for (int i = 0; i < 3 * 24 * 60; ++i) {
        clock.advance(1min);
        clock.jump(30ms);  // 500 ppm
        CHECK(trust.look().plausible());
    }
    // By now it is minutes from where it began; that is no jump either.
    clock.jump(1h);
    CHECK_FALSE(trust.look().plausible());
    clock.jump(-1h);
    CHECK(trust.look().plausible());
    // The machine has slept, or nobody has looked: both clocks went on.
    clock.advance(24h * 30);
    CHECK(trust.look().plausible());
    CHECK(trust.look().times_believed == 2);
}

TEST_CASE("a clock that has jumped is not believed until it is back") {
    for (const auto by : {std::chrono::hours(24 * 365), 24h * 8, 1h, -1h, -24h, -24h * 365}) {
        ManualClock clock;
        ClockTrust trust(clock, std::nullopt);
        clock.jump(by);
        const auto state = trust.look();
        CHECK(state.doubt == Doubt::jumped);
        CHECK(state.by == by);
        clock.advance(59min);
        CHECK_FALSE(trust.look().plausible());
        clock.jump(-by);
        CHECK(trust.look().plausible());
        CHECK(trust.look().times_believed == 2);
        CHECK(trust.look().times_accepted == 0);
    }
}

TEST_CASE("one that stays where it jumped to is believed after an hour, from its last jump on") {
    ManualClock clock;
    ClockTrust trust(clock, std::nullopt);
    clock.jump(24h);
    CHECK(*trust.look().until == clock.steady() + ClockTrust::kProbation);
    clock.advance(50min);
    clock.jump(24h);
    CHECK_FALSE(trust.look().plausible());
    clock.advance(59min);
    CHECK_FALSE(trust.look().plausible());
    clock.advance(1min);
    CHECK(trust.look().plausible());
    CHECK(trust.look().times_accepted == 1);
    // It is the one before that is wrong now.
    clock.jump(-48h);
    CHECK(trust.look().doubt == Doubt::jumped);
}

TEST_CASE("up to a minute is no jump") {
    ManualClock clock;
    ClockTrust trust(clock, std::nullopt);
    clock.jump(1min);
    CHECK(trust.look().plausible());
    clock.jump(-1min);
    CHECK(trust.look().plausible());
    clock.jump(-1min - 1ms);
    CHECK_FALSE(trust.look().plausible());
}

TEST_CASE("at the start, what was written down before says whether the clock can be right") {
    ManualClock clock;
    const auto doubt = [&](std::chrono::milliseconds ahead) {
        return ClockTrust(clock, clock.now() - ahead).look().doubt;
    };
    CHECK(doubt(0s) == Doubt::none);
    CHECK(doubt(24h) == Doubt::none);
    CHECK(doubt(24h + 1ms) == Doubt::ahead);
    CHECK(doubt(-1min) == Doubt::none);
    CHECK(doubt(-1min - 1ms) == Doubt::behind);
    CHECK(ClockTrust(clock, std::nullopt).look().plausible());
}

TEST_CASE("a start with a wrong clock is over when it is set, or after an hour") {
    ManualClock clock;
    const auto newest = clock.now();
    clock.jump(-24h * 20);
    ClockTrust trust(clock, newest);
    CHECK(trust.look().doubt == Doubt::behind);
    CHECK(trust.look().by == -24h * 20);
    clock.advance(10min);
    clock.jump(24h * 20);
    CHECK(trust.look().plausible());

    clock.jump(24h * 30);  // the host was off
    ClockTrust later(clock, newest);
    CHECK(later.look().doubt == Doubt::ahead);
    clock.advance(59min);
    CHECK_FALSE(later.look().plausible());
    clock.advance(1min);
    CHECK(later.look().plausible());
}

TEST_CASE("a clock without a battery is never believed") {
    ManualClock clock;
    const auto right = clock.now();
    clock.jump(-right.time_since_epoch());
    for (const auto newest : {std::optional(right), std::optional<base::TimePoint>()}) {
        ClockTrust trust(clock, newest);
        CHECK(trust.look().doubt == Doubt::behind);
        CHECK(trust.look().by < -24h * 365);
        clock.advance(24h);
        CHECK_FALSE(trust.look().plausible());
        clock.jump(right.time_since_epoch());
        CHECK(trust.look().plausible());
        clock.jump(-right.time_since_epoch());
    }
}
