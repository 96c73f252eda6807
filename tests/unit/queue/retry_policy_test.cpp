#include "queue/retry_policy.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

// RFC 5321 4.5.4.1.
TEST_CASE("the wait doubles up to the longest, a little less by chance, and never ends") {
    support::SeededRandom random;
    const queue::RetryPolicy retry{8s, 64s};
    for (const auto& [attempts, most] :
         {std::pair{0, 8s}, {1, 8s}, {2, 16s}, {3, 32s}, {4, 64s}, {5, 64s}, {1'000'000, 64s}}) {
        CAPTURE(attempts);
        const auto wait = retry.wait(attempts, random);
        CHECK(wait <= most);
        CHECK(wait > most * 7 / 8);
    }
}

TEST_CASE("who asks for patience gets it, within what we wait at most, and never haste") {
    support::SeededRandom random;
    const queue::RetryPolicy retry{8s, 64s};
    CHECK(retry.wait(1, random, 30s) == 30s);
    CHECK(retry.wait(1, random, 1h) == 64s);
    CHECK(retry.wait(1, random, 1s) > 7s);
}
