#include "queue/sender_counts.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;
using queue::Beyond;
using queue::Counted;
using queue::SenderKind;
using queue::SenderRule;
using Verdict = queue::SenderCounts::Verdict;

namespace {

/// So much an hour, all of which may come at once.
SenderRule an_hour(std::uint64_t messages, std::uint64_t recipients, std::uint64_t unknown,
                   Beyond beyond = Beyond::refuse) {
    return {{messages, recipients, unknown}, 1h, beyond};
}

/// Counts in virtual time, with the alarms that they gave.
struct Counting {
    explicit Counting(SenderRule usual, std::map<std::string, SenderRule> special = {},
                      std::set<std::string> exempt = {})
        : counts({usual, std::move(special), std::move(exempt)}, clock,
                 [this](const queue::SenderAlarm& alarm) { alarms.push_back(alarm); }) {}

    /// As the intake does it.
    Verdict sends(const std::string& from, std::size_t recipients = 1) {
        const queue::SenderFigures more{1, recipients, 0};
        const auto verdict = counts.take(mailbox(from), more, "192.0.2.7");
        if (verdict != Verdict::refuse) counts.sent(mailbox(from), more);
        return verdict;
    }
    /// As the policy service does it.
    Verdict asks(const std::string& login, const std::string& message,
                 const std::optional<std::string>& from = {}) {
        mail::ReversePath path;
        if (from) path = mailbox(*from);
        return counts.asks({login, path, message, "192.0.2.7"});
    }
    /// How many mails to one recipient get through at once.
    int at_once(const std::string& from) {
        int passed = 0;
        while (passed < 1000 && sends(from) == Verdict::pass)
            ++passed;
        return passed;
    }

    ManualClock clock;
    std::vector<queue::SenderAlarm> alarms;
    queue::SenderCounts counts;
};

}  // namespace

TEST_CASE("a sender may send its hour at once, and then as much as runs out") {
    Counting its(an_hour(6, 100, 10));
    CHECK(its.at_once("alice@a.test") == 6);
    CHECK(its.sends("juergen@a.test") == Verdict::pass);
    its.clock.advance(9min);
    CHECK(its.sends("alice@a.test") == Verdict::refuse);
    its.clock.advance(1min);
    CHECK(its.sends("alice@a.test") == Verdict::pass);
    CHECK(its.sends("alice@a.test") == Verdict::refuse);
    // A refusal costs nothing.
    its.clock.advance(30min);
    CHECK(its.at_once("alice@a.test") == 3);
    its.clock.advance(24h);
    CHECK(its.at_once("alice@a.test") == 6);
}

TEST_CASE("a burst is what may come at once, one mail at least") {
    SenderRule rule = an_hour(60, 1000, 10);
    rule.burst = 5min;
    Counting its(rule);
    CHECK(its.at_once("alice@a.test") == 5);
    its.clock.advance(1h);
    CHECK(its.at_once("alice@a.test") == 5);
    rule.burst = 1ms;
    its.counts.use({rule, {}, {}});
    CHECK(its.at_once("bob@a.test") == 1);
}

TEST_CASE("recipients have a limit of their own, within one mail, too") {
    Counting its(an_hour(100, 10, 10));
    CHECK(queue::SenderTicket(its.counts, mailbox("alice@a.test"), "").take({1, 10, 0}));
    CHECK_FALSE(queue::SenderTicket(its.counts, mailbox("alice@a.test"), "").take({1, 11, 0}));
    CHECK(its.sends("alice@a.test", 8) == Verdict::pass);
    CHECK(its.sends("alice@a.test", 3) == Verdict::refuse);
    CHECK(its.sends("alice@a.test", 2) == Verdict::pass);
    CHECK(its.alarms.size() == 1);
    CHECK(its.alarms[0].what == Counted::recipients);
    CHECK(its.alarms[0].limit == 10);
}

TEST_CASE("what is under way counts, and what was not sent after all is given back") {
    Counting its(an_hour(2, 10, 10));
    {
        queue::SenderTicket first(its.counts, mailbox("alice@a.test"), "");
        queue::SenderTicket second(its.counts, mailbox("alice@a.test"), "");
        CHECK(first.take({1, 0, 0}));
        CHECK(second.take({1, 4, 0}));
        CHECK(its.sends("alice@a.test") == Verdict::refuse);
        CHECK(first.take({0, 6, 0}));
        CHECK_FALSE(first.take({0, 1, 0}));
        first.sent();
        // It is still sent when the other one is not.
        const queue::SenderTicket moved(std::move(second));
    }
    CHECK(its.counts.list(1).at(0).last_hour == queue::SenderFigures{1, 6, 0});
    CHECK(its.sends("alice@a.test", 5) == Verdict::refuse);
    CHECK(its.sends("alice@a.test", 4) == Verdict::pass);
    CHECK(its.sends("alice@a.test", 0) == Verdict::refuse);
}

TEST_CASE("who has met so many unknown recipients sends nothing more for a while") {
    Counting its(an_hour(100, 100, 3));
    its.counts.met_unknown(mailbox("alice@a.test"), 2);
    CHECK(its.sends("alice@a.test") == Verdict::pass);
    its.counts.met_unknown(mailbox("alice@a.test"), 1);
    CHECK(its.alarms.empty());
    CHECK(its.sends("alice@a.test") == Verdict::refuse);
    REQUIRE(its.alarms.size() == 1);
    CHECK(its.alarms[0].what == Counted::unknown);
    CHECK(its.alarms[0].last_hour == queue::SenderFigures{1, 1, 3});
    // Who logs in hears of it where they write, whatever their login has sent.
    CHECK(its.asks("alice", "m1", "alice@a.test") == Verdict::refuse);
    CHECK(its.asks("alice", "m1", "juergen@a.test") == Verdict::pass);
    its.clock.advance(20min);
    CHECK(its.asks("alice", "m2", "alice@a.test") == Verdict::pass);
}

TEST_CASE("a login counts whatever senders it uses, and each message once") {
    Counting its(an_hour(3, 100, 10));
    // Two at the same time, over two connections.
    for (int recipient = 0; recipient < 5; ++recipient) {
        CHECK(its.asks("Alice@A.test", "m1", "x" + std::to_string(recipient) + "@a.test") ==
              Verdict::pass);
        CHECK(its.asks("alice@a.test", "m2") == Verdict::pass);
    }
    CHECK(its.asks("alice@a.test", "m3", "list@elsewhere.test") == Verdict::pass);
    CHECK(its.asks("alice@a.test", "m4") == Verdict::refuse);
    // What has begun within the limit goes on.
    CHECK(its.asks("alice@a.test", "m3") == Verdict::pass);
    const auto rows = its.counts.list(10);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].kind == SenderKind::login);
    CHECK(rows[0].name == "alice@a.test");
    CHECK(rows[0].last_hour == queue::SenderFigures{3, 12, 0});
    CHECK(rows[0].is_beyond);
}

TEST_CASE("whatever the spelling, a sender is one") {
    Counting its(an_hour(2, 100, 10));
    CHECK(its.sends("alice@a.test") == Verdict::pass);
    CHECK(its.sends("ALICE+news@A.test") == Verdict::pass);
    CHECK(its.sends("Alice+@a.test") == Verdict::refuse);
    CHECK(queue::sender_name("B\xC3\xBC"
                             "cher@B\xC3\xBC"
                             "cher.test") ==
          "b\xC3\xBC"
          "cher@xn--bcher-kva.test");
    CHECK(queue::sender_name("Alice") == "alice");
    CHECK(queue::sender_name("+x@a.test") == "+x@a.test");
    CHECK(queue::sender_name(std::string(5000, 'x') + "@" + std::string(5000, 'y')).size() == 320);
    CHECK(queue::sender_name(std::string(5000, 'x')).size() == 64);
}

TEST_CASE("by default a limit only gives an alarm, once an hour, with what was left out") {
    Counting its(an_hour(10, 100, 10, Beyond::log));
    for (int i = 0; i < 60; ++i) {
        CHECK(its.sends("alice@a.test") == Verdict::pass);
        its.clock.advance(1min);
    }
    REQUIRE(its.alarms.size() == 1);
    CHECK(its.alarms[0].kind == SenderKind::sender);
    CHECK(its.alarms[0].name == "alice@a.test");
    CHECK(its.alarms[0].what == Counted::messages);
    CHECK(its.alarms[0].beyond == Beyond::log);
    CHECK(its.alarms[0].left_out == 0);
    CHECK(its.alarms[0].client == "192.0.2.7");
    // Of what it had sent before.
    CHECK(its.alarms[0].last_hour[0] == 11);
    for (int i = 0; i < 60; ++i) {
        its.sends("alice@a.test");
        its.clock.advance(1min);
    }
    REQUIRE(its.alarms.size() == 2);
    CHECK(its.alarms[1].left_out == 59);
    CHECK(SenderRule().beyond == Beyond::log);
    // However much it was, it is over after as long as it takes to send nothing twice.
    its.clock.advance(2h);
    CHECK_FALSE(its.counts.list(10).size() > 0);
    for (int i = 0; i < 10; ++i)
        its.sends("alice@a.test");
    CHECK(its.alarms.size() == 2);
}

TEST_CASE("what is held is bounded: an hour's worth, then it is refused") {
    Counting its(an_hour(5, 100, 10, Beyond::hold));
    CHECK(its.at_once("alice@a.test") == 5);
    CHECK(its.alarms.size() == 1);
    for (int i = 0; i < 4; ++i)
        CHECK(its.sends("alice@a.test") == Verdict::hold);
    CHECK(its.sends("alice@a.test") == Verdict::refuse);
    CHECK(its.alarms.size() == 1);
    CHECK(its.asks("alice", "m", "alice@a.test") == Verdict::refuse);
    its.clock.advance(12min);
    CHECK(its.asks("alice", "m", "alice@a.test") == Verdict::hold);
    its.clock.advance(1h + 12min);
    CHECK(its.sends("alice@a.test") == Verdict::pass);
}

TEST_CASE("what our mail server holds, and so never comes in, gives an alarm and has an end") {
    // Several logins write as one sender, each within its own limits.
    Counting its(an_hour(5, 100, 10, Beyond::hold), {}, {"one", "other"});
    for (int i = 0; i < 5; ++i)
        CHECK(its.sends("info@a.test") == Verdict::pass);
    CHECK(its.alarms.empty());
    int held = 0;
    while (held < 100 && its.asks("one", std::to_string(held), "info@a.test") == Verdict::hold)
        ++held;
    CHECK(held == 5);
    REQUIRE(its.alarms.size() == 1);
    CHECK(its.alarms[0].name == "info@a.test");
    CHECK(its.asks("other", "m", "info@a.test") == Verdict::refuse);
}

TEST_CASE("rules of their own, exemptions, and a domain together") {
    Counting its(an_hour(2, 100, 10),
                 {{"list@a.test", an_hour(50, 1000, 10)},
                  {"@a.test", {{60, std::nullopt, std::nullopt}, 1h, Beyond::refuse}}},
                 {"lists.a.test", "alarm@a.test", "backup"});
    CHECK(its.at_once("x@lists.a.test") == 1000);
    CHECK(its.at_once("Alarm@a.test") == 1000);
    CHECK(its.counts.size() == 0);
    for (int i = 0; i < 20; ++i)
        CHECK(its.asks("backup", std::to_string(i)) == Verdict::pass);
    CHECK(its.at_once("list@a.test") == 50);
    // Whatever senders it makes up.
    int passed = 0;
    for (int i = 0; i < 20; ++i)
        passed += its.sends("x" + std::to_string(i) + "@a.test") == Verdict::pass ? 1 : 0;
    CHECK(passed == 10);
    CHECK(its.alarms.back().kind == SenderKind::domain);
    CHECK(its.alarms.back().name == "@a.test");
    CHECK(its.sends("x@b.test") == Verdict::pass);
    // Only the login has them all.
    CHECK(its.sends("+alarm@a.test") == Verdict::refuse);
}

TEST_CASE("new limits hold for what was counted before, and a sender can be forgotten") {
    Counting its(an_hour(2, 100, 10));
    CHECK(its.at_once("alice@a.test") == 2);
    its.counts.use({an_hour(5, 100, 10), {}, {}});
    CHECK(its.at_once("alice@a.test") == 3);
    CHECK(its.counts.forget("Alice@a.test"));
    CHECK_FALSE(its.counts.forget("alice@a.test"));
    CHECK(its.at_once("alice@a.test") == 5);
}

TEST_CASE("a limit that is made smaller shuts nobody out for longer than two of its hours") {
    Counting its(an_hour(1000, 1000, 10));
    CHECK(its.at_once("alice@a.test") == 1000);
    its.counts.use({an_hour(10, 10, 10), {}, {}});
    CHECK(its.sends("alice@a.test") == Verdict::refuse);
    its.clock.advance(1h + 6min);
    CHECK(its.sends("alice@a.test") == Verdict::pass);
}

TEST_CASE("the list has those beyond their limits first, of the last hour, and is bounded") {
    Counting its(an_hour(100, 10, 10));
    its.sends("many@a.test", 9);
    its.sends("few@a.test", 2);
    its.sends("beyond@a.test", 1);
    its.counts.met_unknown(mailbox("beyond@a.test"), 10);
    its.clock.advance(50min);
    its.sends("few@a.test", 3);
    const auto names = [&](std::size_t most) {
        std::vector<std::string> found;
        for (const auto& row : its.counts.list(most))
            found.push_back(row.name);
        return found;
    };
    CHECK(names(10) == std::vector<std::string>{"many@a.test", "few@a.test", "beyond@a.test"});
    its.counts.met_unknown(mailbox("beyond@a.test"), 10);
    CHECK(names(10) == std::vector<std::string>{"beyond@a.test", "many@a.test", "few@a.test"});
    CHECK(names(2) == std::vector<std::string>{"beyond@a.test", "many@a.test"});
    CHECK(its.counts.list(3)[2].last_hour == queue::SenderFigures{2, 5, 0});
    its.clock.advance(15min);
    CHECK(names(10) == std::vector<std::string>{"beyond@a.test", "few@a.test"});
    CHECK(its.counts.list(3)[1].last_hour == queue::SenderFigures{1, 3, 0});
    its.clock.advance(24h);
    CHECK(its.counts.list(10).empty());
}

TEST_CASE("who makes up senders is not forgotten for it") {
    Counting its(an_hour(10, 100, 10));
    for (int i = 0; i < 40'000; ++i) {
        // One in between who is close to a limit, one who is beyond it.
        if (i == 10) CHECK(its.at_once("beyond@a.test") == 10);
        if (i == 20) its.sends("close@a.test", 60);
        its.sends("x" + std::to_string(i) + "@a.test");
        if (i % 1000 == 0) CHECK(its.counts.size() <= queue::SenderCounts::kSenders);
    }
    CHECK(its.counts.size() <= queue::SenderCounts::kSenders);
    CHECK(its.sends("beyond@a.test") == Verdict::refuse);
    CHECK(its.sends("close@a.test", 50) == Verdict::refuse);
    CHECK(its.sends("x39999@a.test", 100) == Verdict::refuse);
    CHECK(its.sends("x1@a.test", 100) == Verdict::pass);  // forgotten
}
