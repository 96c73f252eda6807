// What [class NAME] says, and what is wrong with it.
#include "app/config/config.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using component::Assurance;
using component::ClassRule;
using component::ClassRules;
using queue::PeerClass;
using namespace std::chrono_literals;

namespace {

base::Result<app::Config> load_with_classes(const std::string& text) {
    const support::Folder folder;
    const auto file = folder.path() / "packetboat.conf";
    std::ofstream(file) << "[daemon]\nhostname = mx.a.test\n"
                           "[component mail.a.test]\nsecret = x\ndomains = a.test\n"
                           "[intake x]\nlisten = unix:/run/x\n"
                           "[hand-over]\ndeliver-to = smtp:127.0.0.1:25\n"
                        << text;
    auto config = app::load_config(file, {});
    if (config) return config;
    return base::fail(config.error().code, config.error().text.substr(file.string().size()));
}

std::string fault_in_class(const std::string& text) {
    const auto config = load_with_classes(text);
    return config ? "none" : config.error().text;
}

}  // namespace

TEST_CASE("without sections the classes mean what is usual") {
    const auto config = load_with_classes("");
    REQUIRE(config);
    for (const PeerClass each : {PeerClass::newcomer, PeerClass::good, PeerClass::blocked})
        CHECK(config->classes.of(each) == ClassRules().of(each));
}

TEST_CASE("a section changes what it names, and nothing else") {
    const auto config = load_with_classes(
        "[class limited]\nmessages-per-hour = 10\nbytes-per-hour = 20M\nburst = 30m\n"
        "max-size = 1M\nassurance = pkix\n"
        "[class new]\nall-messages-per-hour = none\nrecipients-per-hour = none\n"
        "[class blocked]\nrefuse = no\n");
    REQUIRE(config);
    const ClassRule& limited = config->classes.of(PeerClass::limited);
    CHECK(limited.an_hour[0] == 10u);
    CHECK(limited.an_hour[1] == ClassRules().of(PeerClass::limited).an_hour[1]);
    CHECK(limited.an_hour[2] == 20u << 20);
    CHECK(limited.burst == 30min);
    CHECK(limited.max_size == 1u << 20);
    CHECK(limited.assurance == Assurance::pkix);
    const ClassRule& fresh = config->classes.of(PeerClass::newcomer);
    CHECK_FALSE(fresh.an_hour_of_all[0]);
    CHECK_FALSE(fresh.an_hour[1]);
    CHECK(fresh.an_hour_of_all[1]);
    CHECK_FALSE(config->classes.of(PeerClass::blocked).refuse);
    CHECK(config->classes.of(PeerClass::poor) == ClassRules().of(PeerClass::poor));
}

TEST_CASE("what is wrong with a class is said with its line") {
    CHECK(fault_in_class("[class bad]\n") ==
          ":10: [class bad]: \"bad\" is no class of a domain: one of new, known, good, poor, "
          "blocked, trusted, limited");
    CHECK(fault_in_class("[class new]\nmessages-per-hour = 0\n") ==
          ":11: messages-per-hour: at least 1, or none");
    CHECK(fault_in_class("[class new]\n\nall-bytes-per-hour = 0\n") ==
          ":12: all-bytes-per-hour: at least 1, or none");
    CHECK(fault_in_class("[class new]\nmax-size = 0\n") == ":11: max-size: at least 1, or none");
    CHECK(fault_in_class("[class new]\nburst = 2d\n") == ":11: burst: at most 24h");
    CHECK(fault_in_class("[class new]\nassurance = tls\n") ==
          ":11: \"tls\" is no good value for assurance: one of dialback, none, pkix");
    CHECK(fault_in_class("[class new]\nrecipients-per-hour = many\n").starts_with(":11: "));
    CHECK(fault_in_class("[class new]\nrefuse = perhaps\n").starts_with(":11: "));
    CHECK(
        fault_in_class("[class new]\nburst = 1h\n[class new]\nburst = 1h\n").starts_with(":12: "));
    CHECK(fault_in_class("[class]\nburst = 1h\n").starts_with(":10: "));
}
