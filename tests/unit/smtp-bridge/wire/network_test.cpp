#include "smtp-bridge/wire/network.hpp"

#include <catch2/catch.hpp>

using smtp_bridge::Network;

TEST_CASE("networks hold the addresses of their range and family") {
    const auto holds = [](const char* network, const char* address) {
        return Network::parse(network)->contains(boost::asio::ip::make_address(address));
    };
    CHECK(holds("127.0.0.0/8", "127.1.2.3"));
    CHECK_FALSE(holds("127.0.0.0/8", "128.0.0.1"));
    CHECK(holds("192.0.2.128/25", "192.0.2.200"));
    CHECK_FALSE(holds("192.0.2.128/25", "192.0.2.100"));
    CHECK(holds("192.0.2.1", "192.0.2.1"));
    CHECK(holds("2001:db8::/32", "2001:db8:1::1"));
    CHECK_FALSE(holds("::/0", "127.0.0.1"));
    CHECK(holds("0.0.0.0/0", "8.8.8.8"));
    for (const char* text : {"", "x", "127.0.0.1/8", "127.0.0.0/33", "127.0.0.0/", "::1/129"})
        CHECK_FALSE(Network::parse(text));
}
