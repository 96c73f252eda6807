// What a class means for what comes: how much, how large, over which links; in virtual time.
#include "component/incoming/class_gate.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace std::chrono_literals;
using component::Assurance;
using component::ClassGate;
using component::ClassRule;
using component::ClassRules;
using component::PeerCount;
using queue::PeerClass;

namespace {

mail::Domain named(const std::string& name) {
    return mail::Domain::parse(name).value();
}

/// Limits that a test can reach.
ClassRules small_rules() {
    ClassRules rules = ClassRules::unlimited();
    ClassRule rule;
    rule.an_hour = {6, 60, 6000};
    rules.set(PeerClass::limited, rule);
    rule.an_hour_of_all = {10, std::nullopt, std::nullopt};
    rules.set(PeerClass::newcomer, rule);
    rule = {};
    rule.refuse = true;
    rule.an_hour[0] = 6;
    rules.set(PeerClass::blocked, rule);
    rule = {};
    rule.max_size = 1000;
    rule.assurance = Assurance::pkix;
    rules.set(PeerClass::poor, rule);
    return rules;
}

struct Gate {
    ClassGate::Answer ask(PeerClass peer_class, const std::string& domain,
                          std::size_t recipients = 1, std::uint64_t size = 10) {
        const mail::Domain name = named(domain);
        return gate.ask({peer_class, name, links, recipients, size, false});
    }
    /// It comes, and is taken.
    bool takes(PeerClass peer_class, const std::string& domain, std::size_t recipients = 1,
               std::uint64_t size = 10) {
        auto answer = ask(peer_class, domain, recipients, size);
        answer.pass.taken();
        return !answer.later && !answer.refused;
    }
    int at_once(PeerClass peer_class, const std::string& domain) {
        int count = 0;
        while (count < 1000 && takes(peer_class, domain))
            ++count;
        return count;
    }
    std::uint64_t used(PeerClass peer_class, const std::string& domain, PeerCount what) {
        return gate.look(peer_class, named(domain)).own.used.at(static_cast<std::size_t>(what));
    }

    support::ManualClock clock;
    ClassGate gate{small_rules(), clock};
    Assurance links = Assurance::pkix;
};

}  // namespace

TEST_CASE("The usual rules have no limit that an honest domain meets, and trust has none") {
    const ClassRules rules;
    CHECK(rules.of(PeerClass::trusted) == ClassRule());
    CHECK(rules.of(PeerClass::none) == rules.of(PeerClass::newcomer));
    CHECK(*rules.of(PeerClass::newcomer).an_hour[0] == 2000u);
    CHECK(*rules.of(PeerClass::newcomer).an_hour_of_all[0] == 20'000u);
    CHECK(*rules.of(PeerClass::good).an_hour[0] > *rules.of(PeerClass::known).an_hour[0]);
    CHECK(*rules.of(PeerClass::limited).an_hour[0] == 60u);
    for (const PeerClass each : {PeerClass::newcomer, PeerClass::known, PeerClass::good,
                                 PeerClass::poor, PeerClass::limited, PeerClass::trusted})
        CHECK_FALSE(rules.of(each).refuse);
    CHECK(rules.of(PeerClass::blocked).refuse);
}

TEST_CASE("A limited domain's mail comes at the rate, and the wait that it is told is true") {
    Gate its;
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
    const auto answer = its.ask(PeerClass::limited, "a.test");
    REQUIRE(answer.later);
    CHECK(answer.later->retry_after == 600s);
    CHECK(std::string(answer.later->limit) == "messages-per-hour");
    CHECK(answer.later->text ==
          "mail of a.test has to wait: 6 messages an hour are taken of it (class limited)");
    its.clock.advance(599s);
    CHECK_FALSE(its.takes(PeerClass::limited, "a.test"));
    its.clock.advance(1s);
    CHECK(its.takes(PeerClass::limited, "a.test"));
    CHECK_FALSE(its.takes(PeerClass::limited, "a.test"));
    its.clock.advance(1h);
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
}

TEST_CASE("Who has to wait for moments is told to wait for a minute") {
    Gate its;
    ClassRules rules = small_rules();
    ClassRule rule;
    rule.an_hour = {36'000, std::nullopt, std::nullopt};
    rule.burst = 1s;
    rules.set(PeerClass::limited, rule);
    its.gate.use(rules);
    CHECK(its.at_once(PeerClass::limited, "a.test") == 10);
    CHECK(its.ask(PeerClass::limited, "a.test").later->retry_after == 60s);
}

TEST_CASE("Recipients and octets have limits, too, and one message may be more than is left") {
    Gate its;
    // 55 of 60, so there is room for one; it has 40.
    CHECK(its.takes(PeerClass::limited, "a.test", 55));
    CHECK(its.takes(PeerClass::limited, "a.test", 40));
    const auto many = its.ask(PeerClass::limited, "a.test");
    REQUIRE(many.later);
    CHECK(std::string(many.later->limit) == "recipients-per-hour");
    // 95 of 60 are used; of the next hour's 60 ...
    CHECK(many.later->retry_after == 36min);

    CHECK(its.takes(PeerClass::limited, "b.test", 1, 1'000'000));
    const auto large = its.ask(PeerClass::limited, "b.test");
    REQUIRE(large.later);
    CHECK(std::string(large.later->limit) == "bytes-per-hour");
    // However large it was, in an hour it is forgotten.
    CHECK(large.later->retry_after <= 1h + 1s);
    its.clock.advance(61min);
    CHECK(its.takes(PeerClass::limited, "b.test"));
}

TEST_CASE("A thousand names of one organisation have one allowance") {
    Gate its;
    int taken = 0;
    for (int i = 0; i < 1000; ++i)
        taken += its.takes(PeerClass::limited, fmt::format("x{}.evil.test", i)) ? 1 : 0;
    CHECK(taken == 6);
    CHECK(its.gate.remembered() <= 4);
    CHECK(its.takes(PeerClass::limited, "other.test"));
}

TEST_CASE("All new domains share what comes, and none of them can have all of it") {
    Gate its;
    CHECK(its.at_once(PeerClass::newcomer, "first.test") == 6);
    // The second organisation finds what the first was not given.
    CHECK(its.at_once(PeerClass::newcomer, "second.test") == 4);
    const auto third = its.ask(PeerClass::newcomer, "third.test");
    REQUIRE(third.later);
    CHECK(std::string(third.later->limit) == "all-messages-per-hour");
    // Of another class, nobody notices.
    CHECK(its.takes(PeerClass::known, "friend.test"));
    CHECK(its.takes(PeerClass::limited, "third.test"));
}

TEST_CASE("A domain that changes its class has what is left of the new one") {
    Gate its;
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
    CHECK(its.takes(PeerClass::trusted, "a.test"));
    CHECK_FALSE(its.takes(PeerClass::limited, "a.test"));
}

TEST_CASE("What was not taken after all is given back") {
    Gate its;
    for (int i = 0; i < 20; ++i)
        CHECK_FALSE(its.ask(PeerClass::newcomer, "a.test", 10, 1000).later);
    CHECK(its.used(PeerClass::newcomer, "a.test", PeerCount::recipients) == 0);
    CHECK(its.gate.look(PeerClass::newcomer, named("a.test")).of_all.used[0] == 0);
    auto moved = its.ask(PeerClass::newcomer, "a.test").pass;
    auto again = std::move(moved);
    again.taken();
    CHECK(its.used(PeerClass::newcomer, "a.test", PeerCount::messages) == 1);
}

TEST_CASE("A blocked domain is refused for good, and how often is bounded") {
    Gate its;
    for (int i = 0; i < 6; ++i) {
        auto answer = its.ask(PeerClass::blocked, "a.test", 1, 1'000'000);
        REQUIRE(answer.refused);
        CHECK(answer.refused->reply.code == 550);
        CHECK(answer.refused->reply.status == mail::EnhancedStatus{5, 7, 0});
        CHECK(answer.refused->reply.text.find("a.test") != std::string::npos);
        CHECK(std::string(answer.refused->limit) == "refuse");
        answer.pass.taken();
    }
    // Each refusal is kept.
    CHECK(its.ask(PeerClass::blocked, "a.test").later);
    const auto shown = its.gate.look(PeerClass::blocked, named("a.test"));
    CHECK(shown.own.refused == 6);
    CHECK(shown.own.put_off == 1);
    // Tomorrow it begins anew.
    its.clock.advance(24h);
    CHECK(its.gate.look(PeerClass::blocked, named("a.test")).own.refused == 0);
}

// RFC 3463 3.8, RFC 3463 3.3
TEST_CASE("No refusal by a class is one that lets its sender use SMTP") {
    Gate its;
    its.links = Assurance::dialback;
    const auto weak = its.ask(PeerClass::poor, "a.test", 1, 10);
    REQUIRE(weak.refused);
    CHECK(std::string(weak.refused->limit) == "assurance");
    CHECK(weak.refused->reply.status == mail::EnhancedStatus{5, 7, 0});
    its.links = Assurance::pkix;
    CHECK(its.takes(PeerClass::poor, "a.test", 1, 1000));
    const auto large = its.ask(PeerClass::poor, "a.test", 1, 1001);
    REQUIRE(large.refused);
    CHECK(std::string(large.refused->limit) == "max-size");
    // 5.3.4 would.
    CHECK(large.refused->reply.code == 552);
    CHECK(large.refused->reply.status == mail::EnhancedStatus{5, 2, 3});
}

TEST_CASE("What goes on is not counted again, and is refused if its domain is blocked by now") {
    Gate its;
    const mail::Domain name = named("a.test");
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
    const auto on = its.gate.ask({PeerClass::limited, name, Assurance::pkix, 1, 10, true});
    CHECK_FALSE(on.later);
    CHECK_FALSE(on.refused);
    CHECK(its.gate.ask({PeerClass::blocked, name, Assurance::pkix, 1, 10, true}).refused);
    CHECK(its.used(PeerClass::blocked, "a.test", PeerCount::messages) == 0);
}

TEST_CASE("A clock that is set gives nothing, and takes nothing") {
    Gate its;
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
    its.clock.jump(24h * 365);
    CHECK_FALSE(its.takes(PeerClass::limited, "a.test"));
    its.clock.jump(-24h * 730);
    CHECK_FALSE(its.takes(PeerClass::limited, "a.test"));
    its.clock.advance(10min);
    CHECK(its.takes(PeerClass::limited, "a.test"));
}

TEST_CASE("A changed rule counts at once") {
    Gate its;
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
    ClassRules rules = small_rules();
    ClassRule rule;
    rule.an_hour = {12, std::nullopt, std::nullopt};
    rules.set(PeerClass::limited, rule);
    its.gate.use(rules);
    CHECK(its.at_once(PeerClass::limited, "a.test") == 6);
}

TEST_CASE("Who makes up domains is not forgotten, and takes no more room than there is") {
    Gate its;
    CHECK(its.at_once(PeerClass::limited, "busy.test") == 6);
    for (std::size_t i = 0; i < ClassGate::kRemembered + 10; ++i)
        its.takes(PeerClass::limited, fmt::format("x{}.test", i));
    CHECK(its.gate.remembered() <= ClassGate::kRemembered);
    CHECK_FALSE(its.takes(PeerClass::limited, "busy.test"));
}
