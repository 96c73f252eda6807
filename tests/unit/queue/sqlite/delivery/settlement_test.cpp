#include "queue/sqlite/delivery/settlement.hpp"

#include "queue/sqlite/store/rows.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {
const queue::Ready kOne{"", {10, 100, 1u << 20}};
bool has(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}
}  // namespace

// RFC 5321 3.6.3, RFC 5321 6.1, RFC 3461 5.2.6, RFC 3461 6.1.
TEST_CASE("a failure brings its report to the sender, committed with it") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"nobody@b.test", "bob@b.test"}));
    const auto leased = queue.lease();
    const auto due_now = queue.settle({{leased[0].id, {{0, failed()}, {1, delivered()}}, true}});
    REQUIRE(due_now == queue::DueNow{kLocal});

    const auto reports = queue.lease(kLocal, kOne);
    REQUIRE(reports.size() == 1);
    CHECK_FALSE(reports[0].envelope.from);
    REQUIRE(reports[0].envelope.recipients.size() == 1);
    CHECK(reports[0].envelope.recipients[0].address.text() == "alice@a.test");
    CHECK(reports[0].origin.kind == queue::Origin::Kind::internal);
    const auto text = reports[0].content.bytes();
    CHECK(has(text, "No such user here"));
    CHECK(has(text, "Final-Recipient: rfc822; nobody@b.test"));
    CHECK(has(text, "Status: 5.1.1"));
    CHECK_FALSE(has(text, "bob@b.test"));
}

// RFC 3461 5.2, RFC 3461 5.2.6, RFC 5321 3.6.3, RFC 5321 6.1.
TEST_CASE("nobody is told of a failure who did not want to be, or who can't be") {
    StoreFixture queue;
    SECTION("the null sender") {
        queue.add(arrival("", {"nobody@b.test"}));
    }
    SECTION("NOTIFY=NEVER") {
        auto mail = arrival("alice@a.test", {"nobody@b.test"});
        mail.envelope.recipients[0].notify.never = true;
        queue.add(mail);
    }
    SECTION("a report of our own") {
        auto mail = arrival("", {"nobody@b.test"});
        mail.origin.kind = queue::Origin::Kind::internal;
        queue.add(mail);
    }
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK(queue.settle({all(leased[0], failed())}).empty());
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 7") == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 1);
}

TEST_CASE("a report names only those of whom the sender wants to hear, and who said what") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"never@b.test", "bob@b.test"});
    mail.envelope.recipients[0].notify.never = true;
    queue.add(mail);
    const queue::Failed nameless{reply(550, "5.0.0", "no"), "smtp:127.0.0.1:2526"};
    queue.settle({all(queue.lease()[0], nameless)});
    const auto reports = queue.lease(kLocal, kOne);
    REQUIRE(reports.size() == 1);
    CHECK(has(reports[0].content.bytes(), "bob@b.test"));
    CHECK_FALSE(has(reports[0].content.bytes(), "never@b.test"));
    CHECK_FALSE(has(reports[0].content.bytes(), "Remote-MTA"));
}

TEST_CASE("a full disk takes no new mail, and stops no report on mail that is here") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"nobody@b.test"}));
    queue.reserve(std::uintmax_t{1} << 60);
    const auto refused = queue.transact([](queue::Store& s) {
        return queue::add_arrival(s, arrival("alice@a.test", {"bob@b.test"}));
    });
    CHECK_FALSE(refused);
    CHECK(queue.settle({all(queue.lease()[0], failed())}) == queue::DueNow{kLocal});
}

// RFC 3463 3.5.
TEST_CASE("mail whose time is up comes back to its sender with the last words") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"});
    mail.expires_at = queue.clock.now() + 20s;
    queue.add(mail);
    queue.settle({all(queue.lease()[0], unreachable())});
    SECTION("found by its last try") {
        queue.clock.advance(21s);
        const auto last = queue.lease();
        REQUIRE(last.size() == 1);
        queue.settle({all(last[0], unreachable())});
    }
    SECTION("found while its destination is out") {
        queue.clock.advance(21s);
        const auto until = queue.clock.now() + 60s;
        CHECK(queue.defer(kToB, unreachable(), until) == queue::DueNow{kLocal});
    }
    const auto reports = queue.lease(kLocal, kOne);
    REQUIRE(reports.size() == 1);
    CHECK(has(reports[0].content.bytes(), "Status: 5.4.7"));
    CHECK(has(reports[0].content.bytes(), "no answer"));
    // A transfer had been sent: whether it arrived is not known, and the sender is told so.
    CHECK(has(reports[0].content.bytes(), "delivery can't be excluded"));
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 1);
}

TEST_CASE("waits grow from try to try") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    std::vector<std::chrono::milliseconds> waits;
    for (int i = 0; i < 6; ++i) {
        const auto leased = queue.lease();
        REQUIRE(leased.size() == 1);
        queue.settle({all(leased[0], unreachable())});
        waits.push_back(*queue::next_due(queue.store(), kToB) - queue.clock.now());
        queue.clock.set(*queue::next_due(queue.store(), kToB));
    }
    CHECK(waits[0] >= 7s);
    CHECK(waits[0] <= 8s);
    CHECK(waits[2] >= 28s);
    CHECK(waits[2] <= 32s);
    CHECK(waits[5] <= 64s);
    CHECK(waits[5] >= 56s);
}

TEST_CASE("what a peer refuses for good in its limits goes on by SMTP") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    CHECK(queue.settle({all(leased[0], queue::Rerouted{"too large"})}) == queue::DueNow{kRelay});
    CHECK(queue.lease(kRelay, kOne).size() == 1);
}

TEST_CASE("an outcome counts once") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"nobody@b.test"}));
    const auto leased = queue.lease();
    queue.settle({all(leased[0], failed())});
    queue.settle({all(leased[0], failed())});
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 2);
    CHECK(queue.count("SELECT pending FROM message ORDER BY id LIMIT 1") == 0);
}

TEST_CASE("the history of ended messages is kept for its time, and then goes") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    queue.settle({all(leased[0], delivered())});
    const auto by_message_id = queue.trace("1@a.test");
    REQUIRE(by_message_id.size() == 1);
    CHECK(by_message_id[0].id == id);
    const auto by_transfer = queue.trace(leased[0].transfer->key.id);
    REQUIRE(by_transfer.size() == 1);
    REQUIRE(by_transfer[0].steps.size() == 3);
    CHECK(by_transfer[0].steps[0].what == "received");
    CHECK(by_transfer[0].steps[1].what == "transfer");
    CHECK(by_transfer[0].steps[2].what == "relayed");

    CHECK(queue.transact([](queue::Store& s) { return queue::prune(s); }).value() == 0);
    // bob's side may report on it until three days after the transfer's expiry, and an hour.
    queue.clock.advance(std::chrono::hours(24 * 8));
    CHECK(queue.transact([](queue::Store& s) { return queue::prune(s); }).value() == 0);
    CHECK(queue.count("SELECT COUNT(*) FROM header") == 1);
    queue.clock.advance(std::chrono::hours(1) + 1s);
    CHECK(queue.transact([](queue::Store& s) { return queue::prune(s); }).value() == 1);
    CHECK(queue.trace(id.to_text()).empty());
    for (const char* table :
         {"message", "recipient", "transfer", "event", "content", "header", "report"})
        CHECK(queue.count(std::string("SELECT COUNT(*) FROM ") + table) == 0);
}

TEST_CASE("a long history goes in bounded steps") {
    StoreFixture queue;
    const auto id = queue.add(arrival("", {"bob@b.test"}));
    queue
        .transact([&](queue::Store& s) {
            for (int i = 0; i < 5000; ++i)
                queue::add_event(s, id, 0, "deferred", "451 4.4.1 no answer");
            return queue::end_recipients(s, id, {0}, false);
        })
        .value();
    queue.clock.advance(std::chrono::hours(24 * 12));
    int steps = 0;
    for (std::int64_t left = 5001; left > 0 && steps < 10; ++steps) {
        queue.transact([](queue::Store& s) { return queue::prune(s); }).value();
        const auto now = queue.count("SELECT COUNT(*) FROM event");
        CHECK(left - now <= 2000);
        left = now;
    }
    CHECK(steps == 3);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 0);
}

TEST_CASE("the last try is no later than the end of the mail's time") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    const auto end = leased[0].expires_at;
    queue.clock.set(end - 1s);
    queue.settle({all(leased[0], unreachable())});
    CHECK(queue::next_due(queue.store(), kToB) == end);
}

TEST_CASE("a report names a next hop that has a host's name, and no socket") {
    const auto [remote, named] = GENERATE(table<const char*, bool>(
        {{"mx.b.test", true}, {"lmtp:unix:/run/dovecot/lmtp", false}, {"", false}}));
    CAPTURE(remote);
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"nobody@b.test"}));
    auto refusal = failed();
    refusal.remote = remote;
    queue.settle({all(queue.lease()[0], refusal)});
    const auto reports = queue.lease(kLocal, kOne);
    REQUIRE(reports.size() == 1);
    CHECK(has(reports[0].content.bytes(), "Remote-MTA: dns; mx.b.test") == named);
    CHECK(has(reports[0].content.bytes(), "Remote-MTA") == named);
}
