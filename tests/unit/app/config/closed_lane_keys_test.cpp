// What [policy-service] says of the closed lane, and what is wrong with it.
#include "support/app/configuration.hpp"

#include <catch2/catch.hpp>

using smtp_bridge::ClosedLaneMode;

namespace {

const std::string kService = "[policy-service]\nlisten = 127.0.0.1:2426\n";

base::Result<app::Config> load_service(const std::string& text) {
    return support::load_with(kService + text);
}

std::string service_fault(const std::string& text) {
    return support::fault_of(kService + text);
}

}  // namespace

TEST_CASE("by default the log says what breaks a promise, and our own machines are exempt") {
    const auto config = load_service("");
    REQUIRE(config);
    CHECK(config->closed_lane.mode == ClosedLaneMode::log);
    const auto sender = *mail::Domain::parse("b.test");
    CHECK(config->closed_lane.is_exempt(sender, "127.0.0.1"));
    CHECK(config->closed_lane.is_exempt(sender, "::1"));
    CHECK_FALSE(config->closed_lane.is_exempt(sender, "192.0.2.1"));
    CHECK_FALSE(config->promised_domains);
}

TEST_CASE("what is said of the closed lane is read") {
    const auto config = load_service(
        "closed-lane = reject\nnetworks = 192.0.2.0/24\nbackup-mx = 198.51.100.7 2001:db8::/48\n"
        "exempt = Lists.test b\xc3\xbc"
        "cher.test\nmark-token = 0123456789abcdef\n"
        "promised-domains = /var/lib/packetboat/promised\n");
    REQUIRE(config);
    CHECK(config->closed_lane.mode == ClosedLaneMode::reject);
    const auto sender = *mail::Domain::parse("b.test");
    for (const char* const address : {"192.0.2.1", "198.51.100.7", "2001:db8::9"})
        CHECK(config->closed_lane.is_exempt(sender, address));
    CHECK_FALSE(config->closed_lane.is_exempt(sender, "127.0.0.1"));
    CHECK(config->closed_lane.exempt == std::set<std::string>{"lists.test", "xn--bcher-kva.test"});
    CHECK(config->closed_lane.mark_token == "0123456789abcdef");
    CHECK(config->promised_domains == "/var/lib/packetboat/promised");
    CHECK(config->secrets.size() == 1);
    CHECK(load_service("closed-lane = off\n")->closed_lane.mode == ClosedLaneMode::off);
}

TEST_CASE("what can't be meant is refused, with the line") {
    CHECK(service_fault("closed-lane = shout\n").starts_with(":12: \"shout\" is no good value"));
    CHECK(
        service_fault("closed-lane = mark\n").starts_with(":12: closed-lane = mark needs a mark"));
    CHECK(service_fault("closed-lane = mark\nmark-token = 0123456789abcdef\n") == "none");
    CHECK(service_fault("mark-token = short\n").starts_with(":12: mark-token has to be 16"));
    CHECK(service_fault("networks = 192.0.2.1/24\n").starts_with(":12: networks: "));
    CHECK(service_fault("backup-mx = mx2.test\n").starts_with(":12: backup-mx: "));
    CHECK(service_fault("exempt = [192.0.2.1]\n").starts_with(":12: exempt: "));
    CHECK(service_fault("exempt = alice@b.test\n").starts_with(":12: exempt: "));
}
