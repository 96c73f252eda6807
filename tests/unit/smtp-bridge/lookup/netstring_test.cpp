#include "smtp-bridge/lookup/netstring.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;

TEST_CASE("netstrings, cut anywhere") {
    const std::string wire = "7:route *,";
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        const auto parsed = parse_netstring(std::string_view(wire).substr(0, cut), 100);
        REQUIRE(parsed);
        CHECK_FALSE(*parsed);
    }
    const std::string two = wire + "0:,";
    const auto parsed = parse_netstring(two, 100);
    CHECK((*parsed)->payload == "route *");
    CHECK((*parsed)->used == wire.size());
    CHECK((*parse_netstring("0:,", 100))->payload.empty());
    CHECK(to_netstring("NOTFOUND ") == "9:NOTFOUND ,");
    for (const char* bad : {":,", "x", "01:a,", "1:ab", "-1:a,", "GET / HTTP/1.1"}) {
        INFO(bad);
        CHECK_FALSE(parse_netstring(bad, 100));
    }
    CHECK(parse_netstring("101:", 100).error().code == base::Errc::limit);
    CHECK(parse_netstring("99999999999999999999", 100).error().code == base::Errc::limit);
}
