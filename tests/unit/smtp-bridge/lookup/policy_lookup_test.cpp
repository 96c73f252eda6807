#include "smtp-bridge/lookup/policy_lookup.hpp"

#include "support/fakes.hpp"
#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;
using fixture::domain;

TEST_CASE("the policy service listens, and where no login has limits says nothing but DUNNO") {
    queue::RouteTable table;
    table.set(domain("b.test"), queue::Route::xmpp);
    const auto router = fixture::a_test();
    const PolicyLookup lookup(table, router);
    std::vector<std::string> misses;
    const auto miss = [&](const mail::Domain& d) { misses.push_back(d.ascii()); };
    const auto ask = [&](const std::string& recipient) {
        const std::string request =
            "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=" + recipient +
            "\nsender=\n\n";
        for (std::size_t cut = 0; cut < request.size(); ++cut) {
            std::string none;
            CHECK(lookup.answer(request.substr(0, cut), none, miss).value().used == 0);
        }
        std::string output;
        CHECK(lookup.answer(request + "request=", output, miss).value().used == request.size());
        CHECK(output == "action=DUNNO\n\n");
    };
    for (const char* known : {"bob@b.test", "alice@a.test", "x@[192.0.2.1]", "", "nonsense", "@"})
        ask(known);
    CHECK(misses.empty());
    ask("x@new.test");
    CHECK(misses == std::vector<std::string>{"new.test"});
    std::string output;
    CHECK_FALSE(lookup.answer("GET / HTTP/1.1\n\n", output, miss).has_value());
    CHECK(lookup.answer(std::string(5000, 'x'), output, miss).error().code == base::Errc::limit);
    CHECK(output.empty());
}

namespace {

/// Postfix asks on behalf of who has logged in.
struct Limited {
    explicit Limited(queue::Beyond beyond)
        : counts({{{2, 5, 1}, std::chrono::hours(1), beyond}, {}, {}}, clock,
                 [this](const queue::SenderAlarm& alarm) { alarms.push_back(alarm); }) {}

    std::string ask(const std::string& login, const std::string& instance,
                    const std::string& sender = "alice@a.test",
                    const std::string& state = "RCPT") const {
        const std::string request = "request=smtpd_access_policy\nprotocol_state=" + state +
                                    "\nsender=" + sender +
                                    "\nrecipient=bob@b.test\ninstance=" + instance +
                                    "\nclient_address=192.0.2.7\nsasl_username=" + login + "\n\n";
        std::string output;
        const auto used = lookup.answer(request, output, [](const mail::Domain&) {});
        return used && used->used == request.size() ? output : "not answered";
    }

    support::ManualClock clock;
    std::vector<queue::SenderAlarm> alarms;
    queue::SenderCounts counts;
    queue::RouteTable table;
    queue::Router router = fixture::a_test();
    PolicyLookup lookup{table, router, &counts};
};

const std::string kPass = "action=DUNNO\n\n";
const std::string kLater =
    "action=DEFER_IF_PERMIT 4.7.1 " + std::string(queue::kSenderRefused) + "\n\n";

}  // namespace

TEST_CASE("who has logged in is put off beyond the limits, and nobody else") {
    Limited postfix(queue::Beyond::refuse);
    CHECK(postfix.ask("alice", "1") == kPass);
    CHECK(postfix.ask("alice", "1") == kPass);
    CHECK(postfix.ask("alice", "2") == kPass);
    CHECK(postfix.ask("alice", "3") == kLater);
    CHECK(postfix.ask("Alice", "4", "x@elsewhere.test") == kLater);
    CHECK(postfix.ask("juergen", "5", "juergen@a.test") == kPass);
    REQUIRE(postfix.alarms.size() == 1);
    CHECK(postfix.alarms[0].name == "alice");
    CHECK(postfix.alarms[0].client == "192.0.2.7");
    // Two recipients more of the last mail, and then the next is one too many.
    CHECK(postfix.ask("alice", "2") == kPass);
    CHECK(postfix.ask("alice", "2") == kPass);
    CHECK(postfix.ask("alice", "2") == kLater);
    // Whatever strangers say of a sender counts for nobody.
    for (int i = 0; i < 10; ++i)
        CHECK(postfix.ask("", std::to_string(i)) == kPass);
    CHECK(postfix.counts.list(10).size() == 2);
    // Nor does what Postfix asks besides.
    for (const char* const state : {"CONNECT", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY", ""})
        CHECK(postfix.ask("alice", "9", "alice@a.test", state) == kPass);
}

TEST_CASE("a sender of ours that has met too many unknown recipients is put off where it logs in") {
    Limited postfix(queue::Beyond::refuse);
    postfix.counts.met_unknown(fixture::mailbox("alice@a.test"), 1);
    postfix.counts.met_unknown(fixture::mailbox("x@elsewhere.test"), 1);
    CHECK(postfix.ask("juergen", "1", "alice@a.test") == kLater);
    CHECK(postfix.ask("juergen", "1", "juergen@a.test") == kPass);
    CHECK(postfix.ask("juergen", "1", "x@elsewhere.test") == kPass);  // nobody we know
    CHECK(postfix.ask("juergen", "1", "no address") == kPass);
    CHECK(postfix.ask("juergen", "1", "") == kPass);
}

TEST_CASE("what is to be held is held at Postfix, too") {
    Limited postfix(queue::Beyond::hold);
    CHECK(postfix.ask("alice", "1") == kPass);
    CHECK(postfix.ask("alice", "2") == kPass);
    CHECK(postfix.ask("alice", "3") == "action=HOLD " + std::string(queue::kSenderHeld) + "\n\n");
    Limited logging(queue::Beyond::log);
    for (int i = 0; i < 10; ++i)
        CHECK(logging.ask("alice", std::to_string(i)) == kPass);
    CHECK(logging.alarms.size() == 1);
}

namespace {

/// Promises as the main loop would know them; what it is asked for is answered by the test.
struct FakeLane final : queue::ClosedLane {
    bool concerns(const mail::Domain& sender, const mail::Domain& recipient) const override {
        return promised.contains(sender.ascii()) && recipient.ascii() == "a.test";
    }
    void look(queue::LaneQuestion question, Tell tell) override {
        asked.push_back(question.sender.ascii() + " " + question.recipient.ascii() + " " +
                        question.client);
        waiting.push_back(std::move(tell));
    }
    queue::PeerClass class_against(const mail::Domain& sender) const override {
        return sender.ascii() == "poor.test" ? queue::PeerClass::poor : queue::PeerClass::none;
    }

    std::set<std::string> promised{"b.test"};
    std::vector<std::string> asked;
    std::vector<Tell> waiting;
};

/// Postfix asks about what comes in on port 25.
struct Port25 {
    explicit Port25(ClosedLaneMode mode) {
        settings.mode = mode;
        settings.mark_token = "0123456789abcdefXYZ";
        settings.exempt_networks = {*Network::parse("127.0.0.0/8")};
        settings.exempt = {"exempt.test"};
    }
    /// The answer, as if the promise were confirmed.
    std::string ask(const std::string& sender, const std::string& recipient = "alice@a.test",
                    const std::string& more = "", const std::string& client = "192.0.2.7",
                    const std::string& state = "RCPT") {
        const PolicyLookup lookup(table, router, nullptr, settings, &lane);
        const std::string request = "request=smtpd_access_policy\nprotocol_state=" + state +
                                    "\nsender=" + sender + "\nrecipient=" + recipient +
                                    "\ninstance=1\nclient_address=" + client + "\n" + more + "\n";
        std::string output;
        auto answer = lookup.answer(request, output, [](const mail::Domain&) {});
        if (!answer || answer->used != request.size()) return "not answered";
        if (!answer->open) return output;
        CHECK(output.empty());
        otherwise = answer->open->otherwise();
        // It may be told when nobody waits any more.
        const auto told = std::make_shared<std::string>();
        answer->open->ask([told](std::string text) { *told = std::move(text); });
        lane.waiting.back()(finding);
        return *told;
    }

    ClosedLaneSettings settings;
    queue::PromiseFinding finding = queue::PromiseFinding::confirmed;
    std::string otherwise;
    FakeLane lane;
    queue::RouteTable table;
    queue::Router router{{{*mail::Domain::parse("a.test"), "mail.a.test"},
                          {*mail::Domain::parse("a2.test"), "mail.a.test"}},
                         "mail.a.test"};
};

}  // namespace

TEST_CASE("mail of a promised domain that nobody logged in for is looked at, and no other") {
    Port25 postfix(ClosedLaneMode::reject);
    CHECK(postfix.ask("bob@b.test").starts_with("action=550 5.7.1 b.test has promised"));
    CHECK(postfix.otherwise.starts_with("action=451 4.7.1 b.test"));
    CHECK(postfix.lane.asked == std::vector<std::string>{"b.test a.test 192.0.2.7"});
    postfix.finding = queue::PromiseFinding::unconfirmed;
    CHECK(postfix.ask("Bob@B.test").starts_with("action=451 4.7.1 b.test"));
    postfix.finding = queue::PromiseFinding::none;
    CHECK(postfix.ask("bob@b.test") == kPass);
    postfix.finding = queue::PromiseFinding::confirmed;
    postfix.lane.asked.clear();

    CHECK(postfix.ask("") == kPass);                            // a bounce
    CHECK(postfix.ask("carol@c.test") == kPass);                // promised nothing
    CHECK(postfix.ask("bob@x.b.test") == kPass);                // exact domains
    CHECK(postfix.ask("alice@a.test") == kPass);                // ours
    CHECK(postfix.ask("alice@x.a.test") == kPass);              // below ours
    CHECK(postfix.ask("bob@exempt.test") == kPass);             // by its name
    CHECK(postfix.ask("bob@b.test", "carol@c.test") == kPass);  // not for us
    // For us, and nothing binds it there, though the component is the same one.
    CHECK(postfix.ask("bob@b.test", "alice@a2.test") == kPass);
    CHECK(postfix.ask("bob@b.test", "alice@non sense") == kPass);
    CHECK(postfix.ask("bob@b.test", "alice@a.test", "", "127.0.0.1") == kPass);
    CHECK(postfix.ask("bob@b.test", "alice@a.test", "sasl_username=bob\n") == kPass);
    for (const char* const state : {"CONNECT", "EHLO", "MAIL", "DATA", "END-OF-MESSAGE", ""})
        CHECK(postfix.ask("bob@b.test", "alice@a.test", "", "192.0.2.7", state) == kPass);
    CHECK(postfix.lane.asked.empty());
    CHECK(postfix.ask("x@poor.test").find("; class=poor") != std::string::npos);
}

TEST_CASE("an address without its quotes, or a recipient without a domain, gets round nothing") {
    Port25 postfix(ClosedLaneMode::reject);
    // Of MAIL FROM:<"a b"@b.test>, <"a@b"@b.test>, <"a\"b"@b.test>, as Postfix says it.
    for (const char* const sender : {"a b@b.test", "a@b@b.test", "a\"b@b.test", "@b.test"})
        CHECK(postfix.ask(sender).starts_with("action=550 5.7.1 b.test"));
    for (const char* const recipient : {"alice", "postmaster", "al ice@a.test", "a@b@a.test"})
        CHECK(postfix.ask("bob@b.test", recipient).starts_with("action=550 5.7.1 b.test"));
    CHECK(postfix.ask("bob@b.test", "alice@a.test@c.test") == kPass);
    CHECK(postfix.ask("bob@b.test@c.test") == kPass);
    CHECK(postfix.ask("bob@") == kPass);
    CHECK(postfix.ask("x y@poor.test").find("; class=poor") != std::string::npos);
}

TEST_CASE("what the log will say holds up no mail") {
    Port25 postfix(ClosedLaneMode::log);
    CHECK(postfix.ask("bob@b.test") == kPass);
    CHECK(postfix.lane.asked.size() == 1);
    Port25 off(ClosedLaneMode::off);
    CHECK(off.ask("bob@b.test") == kPass);
    CHECK(off.ask("x@poor.test") == kPass);
    CHECK(off.lane.asked.empty());
}

TEST_CASE("an answer that comes when the service is gone harms nobody") {
    Port25 postfix(ClosedLaneMode::mark);
    CHECK(postfix.ask("bob@b.test") ==
          "action=PREPEND Packetboat-Unproven-0123456789abcdefXYZ: domain=b.test; "
          "closed-lane=confirmed\n\n");
    postfix.lane.waiting.back()(queue::PromiseFinding::none);
}
