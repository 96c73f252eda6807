#include "queue/sqlite/intake/arrivals.hpp"

#include "queue/sqlite/admin/operations.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

queue::Arrival known_from_peer(const StoreFixture& queue, const std::string& id,
                               std::uint8_t digest) {
    auto mail = arrival("bob@b.test", {"alice@a.test"});
    queue::ReceivedTransfer transfer{
        {domain("b.test"), id},
        "mail.b.test",
        "mail.a.test",
        {},
        queue.clock.now() + 1h,
        {{0, reply(250, "2.1.5", "ok")}, {1, reply(550, "5.1.1", "No such user")}}};
    transfer.digest.fill(digest);
    mail.origin = {queue::Origin::Kind::xmpp, "mail.b.test", "", transfer.key, "mail.a.test"};
    mail.transfer = transfer;
    return mail;
}

}  // namespace

TEST_CASE("the same transfer gets the stored verdict, and is not stored again") {
    StoreFixture queue;
    const auto add = [&](const queue::Arrival& mail) {
        return queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    };
    const auto first = add(known_from_peer(queue, "0001", 1));
    REQUIRE(first);
    CHECK_FALSE(first->earlier);

    const auto again = add(known_from_peer(queue, "0001", 1));
    REQUIRE(again);
    REQUIRE(again->earlier);
    CHECK(again->id == first->id);
    REQUIRE(again->earlier->verdicts.size() == 2);
    CHECK(again->earlier->verdicts[1].reply == reply(550, "5.1.1", "No such user"));
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 1);

    const auto other = add(known_from_peer(queue, "0001", 2));
    REQUIRE_FALSE(other);
    CHECK(other.error().code == base::Errc::conflict);
    CHECK(add(known_from_peer(queue, "0002", 2)));

    // After its expiry and an hour for clocks that differ, nobody can ask for it.
    queue.clock.advance(2h + 1s);
    CHECK(queue.transact([](queue::Store& s) { return queue::prune(s); }));
    CHECK(queue.count("SELECT COUNT(*) FROM verdict") == 0);
}

TEST_CASE("a transfer whose recipients were all refused leaves only its verdict") {
    StoreFixture queue;
    auto mail = known_from_peer(queue, "0001", 1);
    mail.envelope.recipients.clear();
    mail.destinations.clear();
    const auto receipt =
        queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    REQUIRE(receipt);
    CHECK_FALSE(receipt->id);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 0);
    CHECK(queue::find_transfer(queue.store(), {domain("b.test"), "0001"}).state ==
          queue::KnownTransfer::State::done);
}

TEST_CASE("verdict texts survive, line breaks in them do not") {
    const std::vector<queue::RecipientVerdict> verdicts{
        {0, reply(250, "2.0.0", "")}, {7, reply(550, "5.1.1", "no\r\nsuch  user ")}};
    const auto decoded = queue::decode_verdicts(queue::encode_verdicts(verdicts));
    REQUIRE(decoded);
    REQUIRE(decoded->size() == 2);
    CHECK(decoded->at(0) == verdicts[0]);
    CHECK(decoded->at(1).reply.text == "no??such  user ");
    CHECK_FALSE(queue::decode_verdicts("0 250\n"));
    CHECK_FALSE(queue::decode_verdicts("x 250 2.0.0 \n"));
}

TEST_CASE("the disk's reserve is left alone") {
    StoreFixture queue;
    CHECK(queue.store().check_space(1));
    CHECK_FALSE(queue.store().check_space(std::size_t{1} << 60));
}

TEST_CASE("queue ids grow, even when the clock does not") {
    StoreFixture queue;
    const auto first = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto second = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(first < second);
    queue.clock.jump(-1h);
    queue.open();
    CHECK(queue.add(arrival("alice@a.test", {"bob@b.test"})) > second);

    CHECK(first.to_text().size() == 11);
    CHECK(*queue::QueueId::parse(first.to_text()) == first);
    CHECK(*queue::QueueId::parse(base::to_lower(first.to_text())) == first);
    for (const char* bad : {"", "00000000000", "0123456789", "0123456789U", "0123456789AB"})
        CHECK_FALSE(queue::QueueId::parse(bad));
}

TEST_CASE("a peer has a share of the queue; what leaves makes room, and others have their own") {
    StoreFixture queue;
    queue.quota({2, 1u << 20});
    const auto arrives = [&](const std::string& peer) {
        auto mail = from_peer();
        mail.origin.client = peer;
        return queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    };
    CHECK(arrives("mail.b.test"));
    CHECK(arrives("mail.b.test"));
    const auto third = arrives("mail.b.test");
    REQUIRE_FALSE(third);
    CHECK(third.error().code == base::Errc::busy);
    CHECK(arrives("mail.c.test"));
    queue.open();  // it is counted anew
    CHECK_FALSE(arrives("mail.b.test"));
    const auto leased = queue.lease(kLocal, kOneByOne);
    queue.settle({all(leased[0], delivered())});
    CHECK(arrives("mail.b.test"));
    CHECK_FALSE(arrives("mail.b.test"));
}

TEST_CASE("all names of one organisation share its part of the queue") {
    StoreFixture queue;
    queue.quota({2, 1u << 20});
    const auto arrives = [&](const std::string& peer) {
        auto mail = from_peer();
        mail.origin.client = peer;
        return queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    };
    CHECK(arrives("x1.evil.test"));
    CHECK(arrives("x2.evil.test"));
    CHECK_FALSE(arrives("x3.evil.test"));
    queue.open();  // it is counted anew
    CHECK_FALSE(arrives("x4.evil.test"));
    CHECK(arrives("mail.honest.test"));
}

TEST_CASE("a peer's mails share its bytes, too") {
    StoreFixture queue;
    queue.quota({100, 100});
    auto mail = from_peer();
    mail.content = mail::Content(std::string(80, 'x'));
    const auto arrives = [&] {
        return queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    };
    CHECK(arrives());
    CHECK_FALSE(arrives());
}

TEST_CASE("content that XMPP can't carry goes by SMTP from the start, and what is ours stays") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test", "carol@a.test", "dora@d.test"});
    mail.unfit = "it has a NUL";
    const auto receipt =
        queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    REQUIRE(receipt);
    CHECK(receipt->rerouted == queue::DueNow{kRelay});
    CHECK(queue.lease(kToB).empty());
    const auto relayed = queue.lease(kRelay, kOneByOne);
    REQUIRE(relayed.size() == 1);
    CHECK(relayed[0].envelope.recipients.size() == 2);
    CHECK(relayed[0].content.bytes() == mail.content.bytes());
    CHECK(queue.lease(kLocal, kOneByOne).size() == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM event WHERE what = 'rerouted'"
                      " AND detail = 'goes on by SMTP: it has a NUL'") == 2);
}

TEST_CASE("where XMPP is required and can't carry it, the sender is told in the same commit") {
    StoreFixture queue;
    queue.use_router(queue::Router({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, {},
                                   queue::LanePolicy({}, {{domain("b.test"), {true, {}}}})));
    auto mail = arrival("alice@a.test", {"bob@b.test", "dora@d.test"});
    mail.unfit = "it has a NUL";
    const auto receipt =
        queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    REQUIRE(receipt);
    CHECK(receipt->rerouted.size() == 2);
    CHECK(queue.lease(kToB).empty());
    const auto relayed = queue.lease(kRelay, kOneByOne);
    REQUIRE(relayed.size() == 1);
    CHECK(relayed[0].envelope.recipients.at(0).address.text() == "dora@d.test");
    const auto report = queue.lease(kLocal, kOneByOne);
    REQUIRE(report.size() == 1);
    CHECK(report[0].envelope.recipients.at(0).address.text() == "alice@a.test");
    const auto text = report[0].content.bytes();
    CHECK(text.find("Final-Recipient: rfc822; bob@b.test") != std::string::npos);
    CHECK(text.find("Status: 5.7.0") != std::string::npos);
    CHECK(text.find("it has a NUL") != std::string::npos);
}

TEST_CASE("an address that keeps no grammar is stored, and read again") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {});
    const auto odd = [](const char* text) { return mail::Mailbox::parse_loosely(text).value(); };
    mail.envelope.from = odd("\"\x01\"@web_01.a.test");
    mail.envelope.recipients.push_back({0, odd("x@host.123"), {}, ""});
    mail.destinations.push_back(kRelay);
    queue.add(mail);
    const auto leased = queue.lease(kRelay, kOneByOne);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].envelope.from == mail.envelope.from);
    CHECK(leased[0].envelope.recipients.at(0).address.text() == "x@host.123");
    // It can be told, too.
    queue.settle({all(leased[0], failed())});
    CHECK(queue.lease(kRelay, kOneByOne).at(0).envelope.recipients.at(0).address.text() ==
          "\"\x01\"@web_01.a.test");
}

TEST_CASE("what is held as it comes waits for an administrator, who releases it") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test", "juergen@a.test"});
    mail.held = "sent too much";
    const auto id = queue.add(mail);
    CHECK(queue.lease().empty());
    CHECK(queue.lease(kLocal, kOneByOne).empty());
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4 AND code = 450"
                      " AND reply = 'sent too much'") == 2);
    const auto traced = queue.trace(id.to_text());
    REQUIRE(traced.size() == 1);
    CHECK(std::ranges::any_of(traced[0].steps, [](const auto& step) {
        return step.what == "held" && step.detail == "sent too much";
    }));
    queue::Selection selection;
    selection.ids = {id};
    const auto released = queue.transact([&](queue::Store& s) {
        return queue::operate(s, queue::Verb::release, selection, std::nullopt);
    });
    REQUIRE(released);
    CHECK(released->changed == 2);
    CHECK(queue.lease().size() == 1);
    CHECK(queue.lease(kLocal, kOneByOne).size() == 1);
}

TEST_CASE("what is held waits on the lane that can carry it") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"});
    mail.unfit = "a NUL";
    mail.held = "sent too much";
    queue.add(mail);
    CHECK(queue.lease(kRelay, kOneByOne).empty());
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 1);
}
