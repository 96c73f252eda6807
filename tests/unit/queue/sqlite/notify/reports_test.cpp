#include "queue/sqlite/notify/reports.hpp"

#include "queue/peer_report.hpp"
#include "queue/sqlite/notify/taken_reports.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

namespace {

bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// What waits for `destination`, as text; empty if nothing does.
std::string next_for(StoreFixture& queue, const queue::Destination& destination) {
    const auto leased = queue.lease(destination, kOneByOne);
    return leased.empty() ? std::string() : std::string(leased[0].content.bytes());
}

queue::PeerReport report_on(const queue::OutgoingTransfer& transfer, mail::Action action,
                            const mail::Reply& reply, std::uint32_t seq = 1) {
    return {transfer.key, seq, {{0, action, reply, base::TimePoint(), "mx.b.test", ""}}};
}

/// bob's side has taken alice's mail.
queue::OutgoingTransfer given_to_peer(StoreFixture& queue, queue::Arrival mail) {
    queue.add(mail);
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    queue.settle({all(leased[0], delivered())});
    return *leased[0].transfer;
}

base::Result<queue::DueNow> take(StoreFixture& queue, const queue::PeerReport& report,
                                 const std::string& peer = "mail.b.test") {
    return queue.transact([&](queue::Store& s) { return queue::take_report(s, report, peer); });
}

}  // namespace

TEST_CASE("of a peer's mail that fails after all its component is told, and nobody by mail") {
    StoreFixture queue;
    queue.add(from_peer());
    const auto leased = queue.lease(kLocal, kOneByOne);
    REQUIRE(leased.size() == 1);
    auto refusal = failed();
    refusal.remote = "mx.a.test";
    CHECK(queue.settle({all(leased[0], refusal)}) == queue::DueNow{kReportToB});
    CHECK(queue.lease(kLocal, kOneByOne).empty());
    const auto reports = queue.lease(kReportToB, kOneByOne);
    REQUIRE(reports.size() == 1);
    // For people who look at the queue: who is to hear of it.
    CHECK(reports[0].envelope.recipients[0].address.text() == "bob@b.test");
    CHECK_FALSE(reports[0].envelope.from);
    const auto report = queue::decode_peer_report(reports[0].content.bytes());
    REQUIRE(report);
    CHECK(report->key.id == "018f00000001");
    CHECK(report->seq == 1);
    REQUIRE(report->recipients.size() == 1);
    CHECK(report->recipients[0].action == mail::Action::failed);
    CHECK(report->recipients[0].reply == failed().reply);
    CHECK(report->recipients[0].mta == "mx.a.test");
}

TEST_CASE("reports on one transfer are numbered") {
    StoreFixture queue;
    queue.add(from_peer({"alice@a.test", "carol@a.test"}));
    const auto leased = queue.lease(kLocal, kOneByOne);
    queue.settle({{leased[0].id, {{0, failed()}}, true}});
    queue.settle({{leased[0].id, {{1, failed()}}, true}});
    const auto reports = queue.lease(kReportToB, {"", {10, 10, 1u << 20}});
    REQUIRE(reports.size() == 2);
    CHECK(queue::decode_peer_report(reports[0].content.bytes())->seq == 1);
    CHECK(queue::decode_peer_report(reports[1].content.bytes())->seq == 2);
}

TEST_CASE("a report that can't be delivered reaches our postmaster, with what it was about") {
    StoreFixture queue;
    queue.add(from_peer());
    const auto leased = queue.lease(kLocal, kOneByOne);
    queue.settle({all(leased[0], failed())});
    const auto reports = queue.lease(kReportToB, kOneByOne);
    SECTION("as the peer refuses it") {
        queue.settle(
            {all(reports[0], queue::Failed{reply(550, "5.7.1", "not yours"), "mail.b.test"})});
    }
    SECTION("as the peer is gone for too long") {
        queue.settle({all(reports[0], unreachable())});
        queue.clock.advance(std::chrono::hours(24 * 9));
        queue.settle({all(queue.lease(kReportToB, kOneByOne).at(0), unreachable())});
    }
    const std::string text = next_for(queue, kLocal);
    CHECK(has(text, "To: <postmaster@a.test>"));
    CHECK(has(text, "could not be told"));
    CHECK(has(text, "Final-Recipient: rfc822; alice@a.test"));
    CHECK(has(text, "No such user here"));
}

TEST_CASE("a peer's null sender hears nothing of a failure, nor does anybody else") {
    StoreFixture queue;
    queue.add(from_peer({"alice@a.test"}, ""));
    const auto leased = queue.lease(kLocal, kOneByOne);
    CHECK(queue.settle({all(leased[0], failed())}).empty());
}

// RFC 3461 5.2.1, RFC 3461 5.2.2, RFC 3461 5.2.3.
TEST_CASE("alice, who asked for it, hears of success from the last system that knows how") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"});
    mail.envelope.recipients[0].notify.success = true;
    queue::Delivered outcome = delivered();
    SECTION("the next hop tells her") {
        queue.add(mail);
        CHECK(queue.settle({all(queue.lease()[0], outcome)}).empty());
    }
    SECTION("the next hop does not know DSN") {
        queue.add(mail);
        outcome.handover = queue::Handover::relayed;
        CHECK(queue.settle({all(queue.lease()[0], outcome)}) == queue::DueNow{kLocal});
        const std::string text = next_for(queue, kLocal);
        CHECK(has(text, "Action: relayed"));
        CHECK(has(text, "Status: 2.1.5"));
    }
    SECTION("it was the last hop") {
        auto local = arrival("alice@a.test", {"carol@a.test"});
        local.envelope.recipients[0].notify.success = true;
        queue.add(local);
        outcome.handover = queue::Handover::delivered;
        queue.settle({all(queue.lease(kLocal, kOneByOne)[0], outcome)});
        CHECK(has(next_for(queue, kLocal), "Action: delivered"));
    }
    SECTION("she did not ask") {
        mail.envelope.recipients[0].notify = {};
        queue.add(mail);
        outcome.handover = queue::Handover::relayed;
        CHECK(queue.settle({all(queue.lease()[0], outcome)}).empty());
    }
}

TEST_CASE("the success of a peer's mail is reported to its component") {
    StoreFixture queue;
    auto mail = from_peer();
    mail.envelope.recipients[0].notify.success = true;
    queue.add(mail);
    queue::Delivered outcome = delivered();
    outcome.handover = queue::Handover::delivered;
    queue.settle({all(queue.lease(kLocal, kOneByOne)[0], outcome)});
    const auto report = queue::decode_peer_report(next_for(queue, kReportToB));
    REQUIRE(report);
    CHECK(report->recipients.at(0).action == mail::Action::delivered);
}

TEST_CASE("a peer's report becomes alice's message, with her header, though the content is gone") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"},
                        "Subject: a secret\r\nMessage-ID: <1@a.test>\r\n\r\nThe body.\r\n");
    mail.envelope.ret = mail::Ret::full;
    mail.envelope.envid = "QQ1";
    mail.envelope.recipients[0].orcpt = "rfc822;robert@b.test";
    const auto transfer = given_to_peer(queue, mail);
    CHECK(queue.count("SELECT COUNT(*) FROM content") == 0);
    const auto taken = take(
        queue, report_on(transfer, mail::Action::failed, reply(552, "5.2.2", "Mailbox is full")));
    REQUIRE(taken);
    CHECK(*taken == queue::DueNow{kLocal});
    const std::string text = next_for(queue, kLocal);
    CHECK(has(text, "To: <alice@a.test>"));
    CHECK(has(text, "Original-Envelope-Id: QQ1"));
    CHECK(has(text, "Original-Recipient: rfc822;robert@b.test"));
    CHECK(has(text, "Remote-MTA: dns; mx.b.test"));
    CHECK(has(text, "Status: 5.2.2"));
    CHECK(has(text, "Mailbox is full"));
    CHECK(has(text, "Subject: a secret"));
    CHECK_FALSE(has(text, "The body."));
    CHECK(has(text, "text/rfc822-headers"));
    CHECK(has(text, "Auto-Submitted: auto-replied"));
}

TEST_CASE("a report counts once, whatever is repeated, and only what the sender wants is told") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"});
    mail.envelope.recipients[0].notify.failure = true;
    const auto transfer = given_to_peer(queue, mail);
    CHECK(take(queue, report_on(transfer, mail::Action::delayed, reply(451, "4.4.1", "x"), 1))
              .value()
              .empty());
    const auto failure = report_on(transfer, mail::Action::failed, reply(550, "5.1.1", "x"), 2);
    CHECK(take(queue, failure).value().size() == 1);
    CHECK(take(queue, failure).value().empty());
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 2);
}

TEST_CASE("a report is taken from the component that took the transfer, and on what it took") {
    StoreFixture queue;
    const auto transfer = given_to_peer(queue, arrival("alice@a.test", {"bob@b.test"}));
    const auto report = report_on(transfer, mail::Action::failed, reply(550, "5.1.1", "x"));
    const auto refused_with = [&](const queue::PeerReport& tried, const std::string& peer) {
        const auto taken = take(queue, tried, peer);
        REQUIRE_FALSE(taken);
        return taken.error().code;
    };
    CHECK(refused_with(report, "mail.evil.test") == base::Errc::refused);
    auto other = report;
    other.key.id = "unknown1";
    CHECK(refused_with(other, "mail.b.test") == base::Errc::not_found);
    other = report;
    other.recipients[0].n = 5;
    other.seq = 77;
    CHECK(refused_with(other, "mail.b.test") == base::Errc::not_found);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 1);
}

TEST_CASE("a report that overtakes the verdict has to wait for it") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    const auto report =
        report_on(*leased[0].transfer, mail::Action::failed, reply(550, "5.1.1", "x"));
    const auto early = take(queue, report);
    REQUIRE_FALSE(early);
    CHECK(early.error().code == base::Errc::busy);
    queue.settle({all(leased[0], delivered())});
    CHECK(take(queue, report).value().size() == 1);
}

TEST_CASE("of each recipient a peer may tell a delay once a day, and then one end") {
    StoreFixture queue;
    const auto transfer = given_to_peer(queue, arrival("alice@a.test", {"bob@b.test"}));
    std::uint32_t seq = 0;
    const auto told = [&](mail::Action action) {
        const int klass = action == mail::Action::failed    ? 5
                          : action == mail::Action::delayed ? 4
                                                            : 2;
        const mail::Reply said{klass * 100 + 50, {static_cast<std::uint16_t>(klass), 0, 0}, "x"};
        const auto before = queue.count("SELECT COUNT(*) FROM event");
        // It is answered as if it were taken: to repeat it would be no use.
        REQUIRE(take(queue, report_on(transfer, action, said, ++seq)));
        return queue.count("SELECT COUNT(*) FROM event") > before;
    };
    using mail::Action;
    SECTION("delays, as many as it likes") {
        for (int i = 0; i < 5000; ++i)
            told(Action::delayed);
        CHECK(queue.count("SELECT COUNT(*) FROM message") == 2);
        CHECK(queue.count("SELECT COUNT(*) FROM report") == 1);
        queue.clock.advance(std::chrono::hours(23));
        CHECK_FALSE(told(Action::delayed));
        queue.clock.advance(std::chrono::hours(1));
        CHECK(told(Action::delayed));
        CHECK(queue.count("SELECT COUNT(*) FROM message") == 3);
        CHECK(told(Action::failed));
        queue.clock.advance(std::chrono::hours(48));
        CHECK_FALSE(told(Action::delayed));
    }
    SECTION("it fails twice") {
        CHECK(told(Action::failed));
        CHECK_FALSE(told(Action::failed));
        CHECK_FALSE(told(Action::delivered));
    }
    SECTION("it fails after it was delivered") {
        CHECK(told(Action::relayed));
        CHECK_FALSE(told(Action::expanded));
        CHECK_FALSE(told(Action::delayed));
        CHECK(told(Action::delivered));
        CHECK_FALSE(told(Action::failed));
    }
}

TEST_CASE("a report on several recipients tells what is new of it") {
    StoreFixture queue;
    const auto transfer =
        given_to_peer(queue, arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    auto report = report_on(transfer, mail::Action::failed, reply(550, "5.1.1", "bob"), 1);
    CHECK(take(queue, report).value().size() == 1);
    report.seq = 2;
    report.recipients.push_back(report.recipients[0]);
    report.recipients[1].n = 1;
    CHECK(take(queue, report).value().size() == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM event WHERE what = 'peer-failed'") == 2);
}

TEST_CASE("of a recipient that it has refused, a peer has nothing to tell") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    queue.settle({all(leased[0], failed())});
    const auto messages = queue.count("SELECT COUNT(*) FROM message");
    const auto events = queue.count("SELECT COUNT(*) FROM event");
    const auto late = take(
        queue, report_on(*leased[0].transfer, mail::Action::failed, reply(550, "5.1.1", "again")));
    REQUIRE(late);
    CHECK(late->empty());
    CHECK(queue.count("SELECT COUNT(*) FROM message") == messages);
    CHECK(queue.count("SELECT COUNT(*) FROM event") == events);
    CHECK(queue.count("SELECT COUNT(*) FROM report") == 0);
}

TEST_CASE("a report that comes again tells nothing again, however much later") {
    StoreFixture queue;
    const auto transfer = given_to_peer(queue, arrival("alice@a.test", {"bob@b.test"}));
    const auto why = reply(451, "4.4.1", "the host is down");
    REQUIRE(take(queue, report_on(transfer, mail::Action::delayed, why, 1)));
    CHECK(has(next_for(queue, kLocal), "Action: delayed"));
    // A delay may be told once a day; but this is the one that was told.
    queue.clock.advance(std::chrono::hours(25));
    CHECK(take(queue, report_on(transfer, mail::Action::delayed, why, 1)).value().empty());
    CHECK(take(queue, report_on(transfer, mail::Action::delayed, why, 2)).value() ==
          queue::DueNow{kLocal});
}
