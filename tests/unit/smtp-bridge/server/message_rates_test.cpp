#include "smtp-bridge/server/message_rates.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using smtp_bridge::MessageRates;

TEST_CASE("mails come back at their rate, and no more than a minute's are saved up") {
    MessageRates rates;
    const MessageRates::TimePoint start{std::chrono::hours(1)};
    for (int i = 0; i < 60; ++i)
        CHECK(rates.sends("192.0.2.1", 60, start));
    CHECK_FALSE(rates.sends("192.0.2.1", 60, start));
    CHECK(rates.sends("192.0.2.2", 60, start));
    CHECK_FALSE(rates.sends("192.0.2.1", 60, start + 500ms));
    CHECK(rates.sends("192.0.2.1", 60, start + 1s));
    int later = 0;
    while (rates.sends("192.0.2.1", 60, start + 1h))
        ++later;
    CHECK(later == 60);
}

TEST_CASE("who is gone is forgotten") {
    MessageRates rates;
    MessageRates::TimePoint now{std::chrono::hours(1)};
    for (int i = 0; i < 30'000; ++i)
        rates.sends("c" + std::to_string(i), 60, now += 10ms);
    CHECK(rates.size() <= 10'000);
}
