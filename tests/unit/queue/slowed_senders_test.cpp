#include "queue/slowed_senders.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using queue::SenderComplaints;

TEST_CASE("a slowed sender sends one mail, and then waits, as long as its recipients are many") {
    support::ManualClock clock;
    queue::SlowedSenders slowed(clock);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 0ms);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 0ms);
    slowed.note({"alice@a.test", "b.test", 1, 3});
    CHECK(slowed.is_slowed("alice@a.test", "b.test"));
    CHECK(slowed.take_turn("alice@a.test", "b.test", 2) == 0ms);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 10min);
    clock.advance(4min);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 6min);
    // Elsewhere, and by others, nothing has changed.
    for (int i = 0; i < 3; ++i) {
        CHECK(slowed.take_turn("alice@a.test", "c.test", 1) == 0ms);
        CHECK(slowed.take_turn("juergen@a.test", "b.test", 1) == 0ms);
    }
    clock.advance(6min);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 0ms);
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 5min);
}

TEST_CASE("who is slowed is what the ledger says, and what is known of their turn stays") {
    support::ManualClock clock;
    queue::SlowedSenders slowed(clock);
    slowed.use({{"alice@a.test", "b.test", 1, 1}, {"eva@a.test", "b.test", 2, 2}});
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 0ms);
    slowed.use({{"alice@a.test", "b.test", 2, 1}});
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 5min);
    CHECK_FALSE(slowed.is_slowed("eva@a.test", "b.test"));
    // The only complaint was taken back.
    slowed.note({"alice@a.test", "b.test", 0, 0});
    CHECK(slowed.take_turn("alice@a.test", "b.test", 1) == 0ms);
    CHECK_FALSE(slowed.is_slowed("alice@a.test", "b.test"));
}

TEST_CASE("no more are slowed than can be remembered") {
    support::ManualClock clock;
    queue::SlowedSenders slowed(clock);
    std::vector<SenderComplaints> all;
    for (std::size_t i = 0; i < queue::SlowedSenders::kMost; ++i)
        all.push_back({std::to_string(i) + "@a.test", "b.test", 1, 1});
    slowed.use(all);
    slowed.note({"alice@a.test", "b.test", 1, 1});
    CHECK_FALSE(slowed.is_slowed("alice@a.test", "b.test"));
    slowed.note({"0@a.test", "b.test", 0, 0});
    slowed.note({"alice@a.test", "b.test", 1, 1});
    CHECK(slowed.is_slowed("alice@a.test", "b.test"));
}
