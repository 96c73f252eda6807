// What [senders] and [sender NAME] say, and what is wrong with it.
#include "support/app/configuration.hpp"

#include <catch2/catch.hpp>

using queue::Beyond;
using queue::Counted;
using support::fault_of;
using support::load_with;
using namespace std::chrono_literals;

TEST_CASE("senders have limits that no person reaches, which only give an alarm") {
    const auto config = load_with("");
    REQUIRE(config);
    const auto* const rule = config->senders.rule("alice@a.test");
    REQUIRE(rule != nullptr);
    CHECK(rule->limit(Counted::messages) == 200u);
    CHECK(rule->limit(Counted::recipients) == 1000u);
    CHECK(rule->limit(Counted::unknown) == 30u);
    CHECK(rule->burst == 1h);
    CHECK(rule->beyond == Beyond::log);
    CHECK(config->senders.rule_together("@a.test") == nullptr);
}

TEST_CASE("limits of all, of one, of a domain together, and of nobody") {
    // The order of the sections does not matter.
    const auto config = load_with(
        "[sender Bulk+x@A.test]\n"
        "recipients-per-hour = 20000\n"
        "[senders]\n"
        "messages-per-hour = 60\n"
        "burst = 10m\n"
        "beyond = hold\n"
        "exempt = Alarm@a.test, lists.A.test backup\n"
        "[sender @a.test]\n"
        "messages-per-hour = 5000\n"
        "beyond = refuse\n");
    REQUIRE(config);
    const auto& senders = config->senders;
    const auto& alice = *senders.rule("alice@a.test");
    CHECK(alice.limit(Counted::messages) == 60u);
    CHECK(alice.rate(Counted::messages).at_once == 10);
    CHECK(alice.beyond == Beyond::hold);
    const auto& bulk = *senders.rule("bulk@a.test");
    CHECK(bulk.limit(Counted::messages) == 60u);
    CHECK(bulk.limit(Counted::recipients) == 20000u);
    CHECK(bulk.beyond == Beyond::hold);
    const auto* const together = senders.rule_together("@a.test");
    REQUIRE(together != nullptr);
    CHECK(together->limit(Counted::messages) == 5000u);
    CHECK_FALSE(together->limit(Counted::recipients));
    CHECK(together->beyond == Beyond::refuse);
    CHECK(together->burst == 10min);
    CHECK(senders.rule("alarm@a.test") == nullptr);
    CHECK(senders.rule("x@lists.a.test") == nullptr);
    CHECK(senders.rule("backup") == nullptr);
    CHECK(senders.rule("lists.a.test@b.test") != nullptr);
}

TEST_CASE("what is wrong with a sender's limits is said with its line") {
    CHECK(fault_of("[senders]\nmessages-per-hour = 0\n") == ":11: messages-per-hour: at least 1");
    CHECK(fault_of("[senders]\n\nunknown-recipients-per-hour = 0\n") ==
          ":12: unknown-recipients-per-hour: at least 1");
    CHECK(fault_of("[senders]\nmessages-per-hour = many\n")
              .starts_with(":11: \"many\" is no good value for messages-per-hour: a number"));
    CHECK(fault_of("[senders]\nburst = 25h\n") == ":11: burst: at most 24h");
    CHECK(fault_of("[sender x@a.test]\nburst = 0s\n").starts_with(":11: \"0s\" is no good value"));
    CHECK(fault_of("[senders]\nbeyond = bounce\n") ==
          ":11: \"bounce\" is no good value for beyond: one of hold, log, refuse");
    CHECK(fault_of("[senders]\nexempt = @a.test\n") ==
          ":11: exempt: a domain is written without the @: a.test");
    CHECK(fault_of("[sender x@a.test]\nexempt = y\n") == ":11: unknown key in [sender]");
    CHECK(fault_of("[sender]\n") == ":10: [sender] needs a name");
    CHECK(fault_of("[sender X@a.test]\nburst = 1h\n[sender x@A.test]\nburst = 2h\n") ==
          ":12: [sender x@A.test] stands here a second time");
}
