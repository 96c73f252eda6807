#include "smtp-bridge/server/client_bounds.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using smtp_bridge::ClientBounds;

TEST_CASE("mails come back at their rate, and no more than a minute's are saved up") {
    ClientBounds bounds;
    const ClientBounds::TimePoint start{std::chrono::hours(1)};
    for (int i = 0; i < 60; ++i)
        CHECK(bounds.sends("192.0.2.1", 60, start));
    CHECK_FALSE(bounds.sends("192.0.2.1", 60, start));
    CHECK(bounds.sends("192.0.2.2", 60, start));
    CHECK_FALSE(bounds.sends("192.0.2.1", 60, start + 500ms));
    CHECK(bounds.sends("192.0.2.1", 60, start + 1s));
    int later = 0;
    while (bounds.sends("192.0.2.1", 60, start + 1h))
        ++later;
    CHECK(later == 60);
}

TEST_CASE("who is gone is forgotten") {
    ClientBounds bounds;
    ClientBounds::TimePoint now{std::chrono::hours(1)};
    for (int i = 0; i < 30'000; ++i)
        bounds.sends("c" + std::to_string(i), 60, now += 10ms);
    CHECK(bounds.size() <= 10'000);
}
