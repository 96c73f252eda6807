#include "base/token_bucket.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using base::Rate;
using base::TokenBucket;

namespace {

constexpr base::SteadyPoint kStart{};

}  // namespace

TEST_CASE("What may come within the burst may come at once, one at least") {
    CHECK(Rate::of(60, 1h).at_once == 60);
    CHECK(Rate::of(60, 15min).at_once == 15);
    CHECK(Rate::of(2, 1min).at_once == 1);
    CHECK(Rate::of(2, 1min).an_hour == 2);
}

TEST_CASE("A bucket runs out by and by") {
    const Rate rate = Rate::of(60, 1h);
    TokenBucket bucket;
    CHECK(bucket.used(rate, kStart) == 0);
    bucket.add(10, rate, kStart);
    bucket.add(5, rate, kStart);
    CHECK(bucket.used(rate, kStart) == Approx(15));
    CHECK(bucket.used(rate, kStart + 5min) == Approx(10));
    bucket.add(1, rate, kStart + 5min);
    CHECK(bucket.used(rate, kStart + 6min) == Approx(10));
    CHECK(bucket.used(rate, kStart + 24h) == 0);
}

TEST_CASE("The wait ends exactly when there is room for one more") {
    const Rate rate = Rate::of(60, 10min);
    TokenBucket bucket;
    bucket.add(9, rate, kStart);
    CHECK(bucket.wait(rate, kStart) == 0s);
    bucket.add(1, rate, kStart);
    CHECK(bucket.wait(rate, kStart) == 60s);
    CHECK(bucket.wait(rate, kStart + 59500ms) == 1s);
    CHECK(bucket.wait(rate, kStart + 60s) == 0s);
    // Rounded up: whoever comes back then finds room.
    CHECK(bucket.wait(rate, kStart + 100ms) == 60s);
}

TEST_CASE("What was given back may be used again, and no more than that") {
    const Rate rate = Rate::of(10, 1h);
    TokenBucket bucket;
    bucket.add(10, rate, kStart);
    bucket.give_back(4);
    CHECK(bucket.used(rate, kStart) == Approx(6));
    bucket.give_back(100);
    CHECK(bucket.used(rate, kStart) == 0);
}

TEST_CASE("However much was used, an hour of silence is enough") {
    TokenBucket bucket;
    bucket.add(100'000, Rate::of(100'000, 1h), kStart);
    // Now it may be less.
    const Rate rate = Rate::of(60, 30min);
    CHECK(bucket.wait(rate, kStart) > 0s);
    CHECK(bucket.used(rate, kStart + 1h) == Approx(30));
    CHECK(bucket.wait(rate, kStart + 61min) == 0s);
}
