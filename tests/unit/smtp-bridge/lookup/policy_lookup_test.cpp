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
            CHECK(lookup.answer(request.substr(0, cut), none, miss).value() == 0);
        }
        std::string output;
        CHECK(lookup.answer(request + "request=", output, miss).value() == request.size());
        CHECK(output == "action=DUNNO\n\n");
    };
    for (const char* known : {"bob@b.test", "alice@a.test", "x@[192.0.2.1]", "", "nonsense", "@"})
        ask(known);
    CHECK(misses.empty());
    ask("x@new.test");
    CHECK(misses == std::vector<std::string>{"new.test"});
    std::string output;
    CHECK_FALSE(lookup.answer("GET / HTTP/1.1\n\n", output, miss));
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
        return used && *used == request.size() ? output : "not answered";
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
