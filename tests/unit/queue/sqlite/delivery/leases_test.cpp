#include "queue/sqlite/delivery/leases.hpp"

#include "queue/delivery/fallback.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "support/contents.hpp"
#include "support/queue/damaged_page.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

TEST_CASE("what arrives is leased once, with its transfer, and gone when delivered") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));

    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].id == id);
    CHECK(leased[0].content.bytes() == "Subject: hello\r\nMessage-ID: <1@a.test>\r\n\r\nHi.\r\n");
    REQUIRE(leased[0].envelope.recipients.size() == 2);
    CHECK(leased[0].envelope.recipients[1].address.text() == "carol@b.test");
    REQUIRE(leased[0].transfer);
    CHECK(leased[0].transfer->key.domain == domain("a.test"));
    CHECK(leased[0].transfer->peer == "mail.b.test");
    CHECK_FALSE(leased[0].transfer->sent_before);
    CHECK(queue.lease().empty());

    queue.settle({all(leased[0], delivered())});
    CHECK(queue.lease().empty());
    CHECK(queue.count("SELECT COUNT(*) FROM content") == 0);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE ended_at IS NOT NULL") == 1);
}

TEST_CASE(
    "without an answer the same transfer is sent again, to the same peer, with the same "
    "recipients") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto first = queue.lease();
    queue.settle({all(first[0], unreachable())});
    CHECK(queue.lease().empty());

    queue.clock.advance(10s);
    const auto again = queue.lease(kToB, {"other.b.test", {100, 1, 1}});
    REQUIRE(again.size() == 1);
    CHECK(again[0].transfer->key == first[0].transfer->key);
    CHECK(again[0].transfer->peer == "mail.b.test");
    CHECK(again[0].transfer->sent_before);
    CHECK(again[0].transfer->expires == first[0].transfer->expires);
    CHECK(again[0].envelope == first[0].envelope);
}

TEST_CASE("a transfer has its recipients in one order, however they became due") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"b0@b.test", "b1@b.test"}));
    const auto first = queue.lease();
    const auto later = [&](std::chrono::seconds wait) {
        return queue::Deferred{reply(450, "4.2.0", "later"), "mail.b.test", true, wait};
    };
    queue.settle({{first[0].id, {{0, later(40s)}, {1, later(20s)}}, true}});
    queue.clock.advance(64s);
    const auto second = queue.lease();
    REQUIRE(second.size() == 1);
    REQUIRE(second[0].envelope.recipients.size() == 2);
    CHECK(second[0].envelope.recipients[0].n == 0);
    CHECK(second[0].envelope.recipients[1].n == 1);
}

TEST_CASE("no transfer outlives what its peer remembers") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue::Ready ready = kReadyB;
    ready.retention = std::chrono::hours(8);
    const auto leased = queue.lease(kToB, ready);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].transfer->expires == queue.clock.now() + std::chrono::hours(7));
}

TEST_CASE("what never left may go to another peer") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    auto outcome = all(first[0], unreachable());
    outcome.sent = false;
    queue.settle({outcome});

    queue.clock.advance(10s);
    const auto again = queue.lease(kToB, {"new.b.test", {100, 1000, 1}});
    REQUIRE(again.size() == 1);
    CHECK(again[0].transfer->key == first[0].transfer->key);
    CHECK(again[0].transfer->peer == "new.b.test");
    CHECK_FALSE(again[0].transfer->sent_before);
}

TEST_CASE("mail that was slowed is no mail that nobody takes over XMPP") {
    StoreFixture queue;
    queue.complaints({true, true});
    queue::LaneRule rule;
    rule.fallback_after = 1h;
    queue::Router(queue.store().router()).replace_lanes(queue::LanePolicy(rule, {}));
    const auto today = queue.clock.now().time_since_epoch() / std::chrono::days(1);
    queue.store().database().connection().exec(
        "INSERT INTO sender_complaint VALUES ('alice@a.test', 'b.test', " + std::to_string(today) +
        ", 1, 0, 1, 0, '')");
    queue.add(arrival("Alice+x@a.test", {"bob@b.test"}));
    queue.add(arrival("eva@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    REQUIRE(first.size() == 2);
    queue::Deferred later{reply(450, "4.7.1", "slowed"), "", true, {}};
    later.tried = false;
    for (const auto& leased : first) {
        auto outcome = all(leased, later);
        outcome.sent = false;
        queue.settle({outcome});
    }
    queue.clock.advance(2h);
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    CHECK(again[0].id == first[0].id);
    CHECK(queue.lease(kRelay, kOneByOne).size() == 1);
}

TEST_CASE("what was sent with the parameters of RFC 3461 is sent with them again") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue::Ready without = kReadyB;
    without.dsn = false;
    auto leased = queue.lease(kToB, without);
    CHECK_FALSE(leased.at(0).transfer->dsn);
    auto outcome = all(leased[0], unreachable());
    outcome.sent = false;
    queue.settle({outcome});
    queue.clock.advance(10min);
    // Nothing of it had left.
    leased = queue.lease(kToB, kReadyB);
    CHECK(leased.at(0).transfer->dsn);
    queue.settle({all(leased[0], unreachable())});
    queue.clock.advance(10min);
    CHECK(queue.lease(kToB, without).at(0).transfer->dsn);
}

TEST_CASE(
    "a transfer is sent again with the recipients that it had, whatever became of one since") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto first = queue.lease().at(0);
    const auto n = GENERATE(0u, 1u);
    bool is_sent = GENERATE(false, true);
    auto outcome = all(first, unreachable());
    outcome.sent = is_sent;
    queue.settle({outcome});
    const bool is_held = GENERATE(false, true);
    if (is_held) {
        queue.transact([&](queue::Store& s) {
            auto hold = s.database().query(
                "UPDATE recipient SET state = 4 WHERE message = ?1 AND n = ?2"_sql);
            hold.bind(id.value, static_cast<std::int64_t>(n)).run();
            return 0;
        });
    } else {
        REQUIRE(queue.transact(
            [&](queue::Store& s) { return queue::end_recipients(s, id, {n}, false); }));
    }
    queue.clock.advance(10min);
    const auto again = queue.lease().at(0);
    CHECK(again.transfer->key == first.transfer->key);
    if (!is_sent) {
        CHECK(again.envelope.recipients.size() == 1);
        return;
    }
    CHECK(again.envelope == first.envelope);
    queue.settle({all(again, delivered())});
    // What the administrator has done stays.
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 6") == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE n = " + std::to_string(n) +
                      " AND state = " + (is_held ? "4" : "9")) == 1);
}

TEST_CASE("a recipient that a verdict put off goes out again under a new id") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto first = queue.lease();
    queue.settle(
        {{first[0].id,
          {{0, delivered()},
           {1, queue::Deferred{reply(452, "4.2.2", "mailbox full"), "mail.b.test", true, {}}}},
          true}});
    queue.clock.advance(10s);
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    REQUIRE(again[0].envelope.recipients.size() == 1);
    CHECK(again[0].envelope.recipients[0].n == 1);
    CHECK(again[0].transfer->key != first[0].transfer->key);
    CHECK_FALSE(again[0].transfer->sent_before);
}

TEST_CASE("a restart gives out again what was leased, as possibly sent") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    queue.open();
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    CHECK(again[0].transfer->key == first[0].transfer->key);
    CHECK(again[0].transfer->sent_before);
}

TEST_CASE("a lease keeps to its limits, and yet never starves a large message") {
    StoreFixture queue;
    for (int i = 0; i < 5; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}, std::string(1000, 'x') + "\r\n"));

    CHECK(queue.lease(kToB, {"mail.b.test", {2, 1000, 1u << 20}}).size() == 2);
    CHECK(queue.lease(kToB, {"mail.b.test", {100, 1000, 10}}).size() == 1);
    CHECK(queue.lease(kToB, {"mail.b.test", {100, 1, 1u << 20}}).size() == 1);
    CHECK(queue.lease().size() == 1);
    CHECK(queue.lease().empty());
}

TEST_CASE(
    "more recipients than a lease may have are leased in turn, each with a transfer of its own") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"b1@b.test", "b2@b.test", "b3@b.test"}));
    const auto first = queue.lease(kToB, {"mail.b.test", {10, 2, 1u << 20}});
    const auto second = queue.lease(kToB, {"mail.b.test", {10, 2, 1u << 20}});
    REQUIRE(first.size() == 1);
    REQUIRE(second.size() == 1);
    CHECK(first[0].envelope.recipients.size() == 2);
    CHECK(second[0].envelope.recipients.size() == 1);
    CHECK(first[0].transfer->key != second[0].transfer->key);
}

TEST_CASE(
    "a destination that is out is put off as a whole, and due at once when its peer is back") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.add(arrival("alice@a.test", {"eve@c.test"}));
    const auto until = queue.clock.now() + 60s;
    queue.defer(kToB, unreachable(), until);
    CHECK(queue::next_due(queue.store(), kToB) == until);
    CHECK(queue.lease().empty());
    CHECK(queue.lease({queue::Lane::xmpp, "mail.a.test", "c.test"}).size() == 1);

    CHECK(queue.wake(kToB) == 1);
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("a peer's return does not hurry what its verdict put off") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    queue.settle({all(
        leased[0], queue::Deferred{reply(450, "4.7.1", "greylisted"), "mail.b.test", true, {}})});
    CHECK(queue.wake(kToB) == 0);
}

TEST_CASE("a domain that takes no XMPP mail has its mail moved, but for what may have been sent") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto sent = queue.lease();
    queue.settle({all(sent[0], unreachable())});
    const auto unsent = queue.add(arrival("alice@a.test", {"carol@b.test"}));
    queue.clock.advance(10s);

    REQUIRE(queue.reroute(kToB, "b.test takes no mail over XMPP") == queue::DueNow{kRelay});
    const auto relayed = queue.lease(kRelay, {"", {10, 10, 1u << 20}});
    REQUIRE(relayed.size() == 1);
    CHECK(relayed[0].id == unsent);
    CHECK_FALSE(relayed[0].transfer);

    // What may have been sent is leased only to be called back, and nothing else is leased then.
    queue.add(arrival("alice@a.test", {"dora@b.test"}));
    queue.clock.advance(10min);
    queue::Ready back{"", {10, 10, 1u << 20}};
    back.call_back = "b.test takes no mail over XMPP";
    const auto called = queue.lease(kToB, back);
    REQUIRE(called.size() == 1);
    CHECK(called[0].id == sent[0].id);
    CHECK(called[0].call_back == back.call_back);
    CHECK(called[0].transfer->peer == "mail.b.test");
    queue.settle({all(called[0], queue::Rerouted{"called back"})});
    CHECK(queue.lease(kRelay, {"", {10, 10, 1u << 20}}).size() == 1);
}

TEST_CASE(
    "large contents are files, which go when the message ends, and orphans at the next start") {
    StoreFixture queue;
    const std::string large(base::limits::kInlineContent + 1, 'x');
    queue.add(arrival("alice@a.test", {"bob@b.test"}, large));
    const auto files = [&] { return queue.folder.files_in("content"); };
    CHECK(files() == 1);
    {
        CHECK(queue.lease().empty());
        const auto leased = queue.lease(kToB, kReadyB, queue::Portion::large);
        REQUIRE(leased.size() == 1);
        CHECK(all_of(leased[0].content) == large);
        queue.settle({all(leased[0], delivered())});
    }
    CHECK(files() == 0);

    REQUIRE(queue.store().files().write(queue::QueueId{42}, "orphan"));
    CHECK(files() == 1);
    queue.open();
    CHECK(files() == 0);
}

TEST_CASE("mail of a domain that its component no longer sends for goes another way, if it may") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto on_the_way = [&](const queue::Destination& way) {
        const auto leased = queue.lease(way, {"mail.b.test", {10, 10, 1u << 20}});
        return leased.size() == 1 && leased[0].id == id;
    };
    std::map<mail::Domain, std::string> served{{domain("other.test"), "mail.a.test"}};

    SECTION("nobody sends for it: by SMTP") {
        queue.use_router(queue::Router(served, "mail.a.test"));
        CHECK(queue.lease().empty());
        CHECK(on_the_way(kRelay));
    }
    SECTION("another component does") {
        served.emplace(domain("a.test"), "new.a.test");
        queue.use_router(queue::Router(served, "mail.a.test"));
        CHECK(queue.lease().empty());
        CHECK(on_the_way({queue::Lane::xmpp, "new.a.test", "b.test"}));
    }
    SECTION("where XMPP is required, it waits for that") {
        const queue::LanePolicy required({}, {{domain("b.test"), {true, {}}}});
        queue.use_router(queue::Router(served, "mail.a.test", {}, {}, required));
        CHECK(queue.lease().empty());
        CHECK_FALSE(on_the_way(kRelay));
        CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE destination = 1 AND state = 3") ==
              1);
    }
}

TEST_CASE(
    "interactive mail goes before bulk, which gets on all the same, and large mail by itself") {
    StoreFixture queue;
    const std::string list = "Subject: news\r\nList-Id: <news.a.test>\r\n\r\nNews.\r\n";
    for (int i = 0; i < 40; ++i)
        queue.add(arrival("news@a.test", {"bob@b.test"}, list));
    for (int i = 0; i < 40; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const std::string large(base::limits::kInlineContent + 1, 'x');
    for (int i = 0; i < 3; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}, large));

    const auto first = queue.lease(kToB, {"mail.b.test", {40, 1000, 1u << 20}});
    REQUIRE(first.size() == 40);
    const auto bulk = std::ranges::count_if(first, [](const queue::LeasedMessage& message) {
        return message.envelope.from->text() == "news@a.test";
    });
    CHECK(bulk == 10);
    // One at a time: in the long run the same.
    int of_bulk = 0;
    for (int i = 0; i < 9; ++i) {
        const auto one = queue.lease(kToB, {"mail.b.test", {1, 1000, 1u << 20}});
        REQUIRE(one.size() == 1);
        of_bulk += one[0].envelope.from->text() == "news@a.test" ? 1 : 0;
    }
    CHECK(of_bulk > 0);
    CHECK(of_bulk < 9);
    // A large one is leased alone, however much room there is.
    CHECK(queue.lease(kToB, kReadyB, queue::Portion::large).size() == 1);
}

namespace {

// A form of ten bytes, and five around each address.
std::size_t ten(const mail::Envelope&, bool) {
    return 10;
}
std::size_t five_and_address(const mail::Recipient& recipient, bool) {
    return 5 + recipient.address.text().size();
}

}  // namespace

TEST_CASE("no transfer has more recipients than one envelope has room for, to the byte") {
    StoreFixture queue;
    const std::vector<std::string> to{"b1@b.test", "b2@b.test", "b3@b.test", "b4@b.test"};
    queue.add(arrival("alice@a.test", to));
    const auto with_room_for = [](std::size_t bytes) {
        queue::Ready ready = kReadyB;
        ready.limits.envelope = {bytes, ten, five_and_address};
        return ready;
    };
    const auto sizes = [&](const std::vector<queue::LeasedMessage>& leased) {
        std::vector<std::size_t> all;
        for (const auto& each : leased)
            all.push_back(each.envelope.recipients.size());
        return all;
    };
    using Sizes = std::vector<std::size_t>;
    const std::size_t two = 10 + 2 * (5 + 9);
    const auto first = queue.lease(kToB, with_room_for(two));
    CHECK(sizes(first) == Sizes{2});
    CHECK(first.at(0).envelope.recipients[1].address.text() == "b2@b.test");
    CHECK(sizes(queue.lease(kToB, with_room_for(two - 1))) == Sizes{1});
    // One that never fits goes alone, so that its courier can say so.
    CHECK(sizes(queue.lease(kToB, with_room_for(1))) == Sizes{1});
    CHECK(queue.lease(kToB, with_room_for(two)).empty());
    CHECK(queue.count("SELECT COUNT(DISTINCT transfer) FROM recipient") == 3);
    // What was sent together is sent together again, however little room there is by now.
    queue.settle({all(first[0], unreachable())});
    queue.clock.advance(10min);
    const auto again = queue.lease(kToB, with_room_for(1));
    CHECK(sizes(again) == Sizes{2});
    CHECK(again.at(0).transfer->key == first[0].transfer->key);
}

TEST_CASE("a lease has so many bytes and no more, but one message always") {
    StoreFixture queue;
    for (int i = 0; i < 3; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}, std::string(400, 'x')));
    CHECK(queue.lease(kToB, {"mail.b.test", {100, 1000, 1000}}).size() == 2);
    CHECK(queue.lease(kToB, {"mail.b.test", {100, 1000, 10}}).size() == 1);
}

TEST_CASE("a message on a damaged page is held, the others go, and the next start is told") {
    StoreFixture queue;
    // Several pages of messages; the second one is overwritten.
    constexpr std::int64_t kMessages = 200;
    for (int i = 0; i < kMessages; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto hurt = overwrite_second_leaf(queue, "message");
    REQUIRE(hurt > 1);
    SQLite::Database& connection = queue.store().database().connection();

    std::int64_t sent = 0;
    int in_vain = 0;
    for (bool more = true; more;) {
        try {
            const auto leased = queue.lease();
            more = !leased.empty();
            sent += static_cast<std::int64_t>(leased.size());
        } catch (const queue::UnreadableMessage&) {
            // As the storage thread does.
            queue.store().drop_actions(0);
            connection.exec("ROLLBACK");
            REQUIRE(++in_vain < 5);
        }
    }
    CHECK(sent == kMessages - hurt);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4"
                      " AND reply LIKE '%damaged page%'") == hurt);
    CHECK(queue::is_damage_noted(queue.folder.path()));
}
