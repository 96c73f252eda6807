// What [class NAME] says, and what is wrong with it.
#include "support/app/configuration.hpp"

#include <catch2/catch.hpp>

using component::Assurance;
using component::ClassRule;
using component::ClassRules;
using queue::PeerClass;
using namespace std::chrono_literals;

TEST_CASE("without sections the classes mean what is usual") {
    const auto config = support::load_with("");
    REQUIRE(config);
    for (const PeerClass each : {PeerClass::newcomer, PeerClass::good, PeerClass::blocked})
        CHECK(config->classes.of(each) == ClassRules().of(each));
}

TEST_CASE("a section changes what it names, and nothing else") {
    const auto config = support::load_with(
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
    CHECK(support::fault_of("[class bad]\n") ==
          ":10: [class bad]: \"bad\" is no class of a domain: one of new, known, good, poor, "
          "blocked, trusted, limited");
    CHECK(support::fault_of("[class new]\nmessages-per-hour = 0\n") ==
          ":11: messages-per-hour: at least 1, or none");
    CHECK(support::fault_of("[class new]\n\nall-bytes-per-hour = 0\n") ==
          ":12: all-bytes-per-hour: at least 1, or none");
    CHECK(support::fault_of("[class new]\nmax-size = 0\n") == ":11: max-size: at least 1, or none");
    CHECK(support::fault_of("[class new]\nburst = 2d\n") == ":11: burst: at most 24h");
    CHECK(support::fault_of("[class new]\nassurance = tls\n") ==
          ":11: \"tls\" is no good value for assurance: one of dialback, none, pkix");
    CHECK(support::fault_of("[class new]\nrecipients-per-hour = many\n").starts_with(":11: "));
    CHECK(support::fault_of("[class new]\nrefuse = perhaps\n").starts_with(":11: "));
    CHECK(support::fault_of("[class new]\nburst = 1h\n[class new]\nburst = 1h\n")
              .starts_with(":12: "));
    CHECK(support::fault_of("[class]\nburst = 1h\n").starts_with(":10: "));
}
