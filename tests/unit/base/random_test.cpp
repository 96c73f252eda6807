// Random: the system's is no constant, the test's can be repeated.
#include "base/random.hpp"

#include "support/fakes.hpp"

#include <array>

#include <catch2/catch.hpp>

TEST_CASE("the system's randomness fills what it is given") {
    base::SystemRandom random;
    std::array<std::uint8_t, 32> first{};
    std::array<std::uint8_t, 32> second{};
    random.fill(first);
    random.fill(second);
    CHECK(first != second);
    random.fill({});
}

TEST_CASE("below stays below its bound and reaches all of it") {
    support::SeededRandom random;
    std::array<int, 7> seen{};
    for (int i = 0; i < 1000; ++i)
        ++seen.at(random.below(seen.size()));
    for (const int count : seen)
        CHECK(count > 0);
    CHECK(random.below(1) == 0);
}

TEST_CASE("the same seed gives the same bytes") {
    support::SeededRandom a(7);
    support::SeededRandom b(7);
    CHECK(a.below(UINT64_MAX) == b.below(UINT64_MAX));
}
