#include "smtp-bridge/lookup/closed_lane.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace smtp_bridge;
using fixture::domain;
using queue::PeerClass;
using queue::PromiseFinding;

namespace {

const std::string kToken = "0123456789abcdefXYZ";

ClosedLaneSettings lane(ClosedLaneMode mode, const std::string& token = kToken) {
    ClosedLaneSettings settings;
    settings.mode = mode;
    settings.mark_token = token;
    return settings;
}
std::string action(const ClosedLaneSettings& settings, PromiseFinding finding,
                   PeerClass against = PeerClass::none) {
    MarkedMessages marked;
    return closed_lane_action(settings, domain("a.test"), finding, against, "1", marked);
}

}  // namespace

TEST_CASE("what breaks a promise is refused for good, and put off if that is not certain") {
    const auto reject = lane(ClosedLaneMode::reject);
    const auto refused = action(reject, PromiseFinding::confirmed, PeerClass::poor);
    CHECK(refused.starts_with("550 5.7.1 a.test has promised"));
    CHECK(refused.find("another envelope sender") != std::string::npos);
    CHECK(action(reject, PromiseFinding::unconfirmed).starts_with("451 4.7.1 a.test has"));
    CHECK(action(reject, PromiseFinding::none) == "DUNNO");
    CHECK(action(reject, PromiseFinding::none, PeerClass::poor) ==
          "PREPEND Packetboat-Unproven-" + kToken + ": domain=a.test; class=poor");
    CHECK(action(lane(ClosedLaneMode::reject, ""), PromiseFinding::none, PeerClass::poor) ==
          "DUNNO");
}

TEST_CASE("a mark says all in one field") {
    const auto marks = lane(ClosedLaneMode::mark);
    CHECK(action(marks, PromiseFinding::confirmed, PeerClass::blocked) ==
          "PREPEND Packetboat-Unproven-" + kToken +
              ": domain=a.test; closed-lane=confirmed; class=blocked");
    CHECK(action(marks, PromiseFinding::unconfirmed).ends_with("; closed-lane=unconfirmed"));
    CHECK(action(marks, PromiseFinding::none) == "DUNNO");
    for (const auto mode : {ClosedLaneMode::off, ClosedLaneMode::log})
        CHECK(action(lane(mode), PromiseFinding::confirmed, PeerClass::poor) == "DUNNO");
}

TEST_CASE("a message is marked once, however many recipients it has") {
    MarkedMessages marked;
    const auto settings = lane(ClosedLaneMode::mark);
    const auto ask = [&](const std::string& instance, PeerClass against = PeerClass::none) {
        return closed_lane_action(settings, domain("a.test"), PromiseFinding::confirmed, against,
                                  instance, marked);
    };
    CHECK(ask("1") != "DUNNO");
    CHECK(ask("1") == "DUNNO");
    CHECK(ask("2") != "DUNNO");
    CHECK(ask("1", PeerClass::poor) != "DUNNO");
    CHECK(ask("1") == "DUNNO");
    // Only so many are remembered.
    for (int i = 0; i < 1000; ++i)
        ask(fmt::format("x{}", i));
    CHECK(ask("1") != "DUNNO");
}

TEST_CASE("our own networks, the backup MX and single domains are exempt") {
    auto settings = lane(ClosedLaneMode::reject);
    settings.exempt_networks = {*Network::parse("127.0.0.0/8"), *Network::parse("2001:db8::/32")};
    settings.exempt = {"lists.test"};
    CHECK(settings.is_exempt(domain("a.test"), "127.0.0.1"));
    CHECK(settings.is_exempt(domain("a.test"), "2001:db8::1"));
    CHECK_FALSE(settings.is_exempt(domain("a.test"), "192.0.2.1"));
    CHECK_FALSE(settings.is_exempt(domain("a.test"), "unknown"));
    CHECK_FALSE(settings.is_exempt(domain("a.test"), ""));
    CHECK(settings.is_exempt(domain("lists.test"), "192.0.2.1"));
    CHECK_FALSE(settings.is_exempt(domain("x.lists.test"), "192.0.2.1"));
}

TEST_CASE("a token stands in a field's name") {
    CHECK(parse_mark_token(kToken).value() == kToken);
    for (const std::string& bad :
         {std::string("tooshort"), std::string(65, 'x'), std::string("0123456789abcde:"),
          std::string("0123456789 abcdef"), std::string("0123456789abcdef\n"),
          std::string("0123456789abcde\xc3\xa9")})
        CHECK_FALSE(parse_mark_token(bad).has_value());
}
