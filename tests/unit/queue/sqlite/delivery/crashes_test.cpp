#include "queue/sqlite/delivery/crashes.hpp"

#include "queue/ledger/storage_thread.hpp"
#include "queue/sqlite/admin/operations.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/queue/fixture.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

// A crash is a store that is opened again, without a release of what was leased before.

namespace {

std::int64_t crashes_of(StoreFixture& queue, queue::QueueId id) {
    return queue.count("SELECT crashes FROM message WHERE id = " + std::to_string(id.value));
}
std::int64_t attempts_of(StoreFixture& queue, queue::QueueId id) {
    return queue.count("SELECT attempts FROM recipient WHERE n = 0 AND message = " +
                       std::to_string(id.value));
}
std::int64_t in_quarantine(StoreFixture& queue) {
    return queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL");
}

/// All that can be leased now, whatever its lease is.
std::vector<queue::QueueId> lease_all(StoreFixture& queue) {
    std::vector<queue::QueueId> ids;
    for (auto leased = queue.lease(); !leased.empty(); leased = queue.lease()) {
        for (const auto& message : leased)
            ids.push_back(message.id);
    }
    return ids;
}

/// Leases until `id` is under way, delivers what comes before it, and crashes.
void crash_with(StoreFixture& queue, queue::QueueId id) {
    for (int i = 0; i < 1000; ++i) {
        const auto leased = queue.lease();
        if (std::ranges::any_of(leased, [&](const auto& each) { return each.id == id; }))
            return queue.open();
        for (const auto& message : leased)
            queue.settle({all(message, delivered())});
        if (leased.empty()) queue.clock.advance(1s);
    }
    FAIL("it is never leased");
}

/// Two that were under way in two crashes in a row.
std::pair<queue::QueueId, queue::QueueId> add_two_suspects(StoreFixture& queue) {
    const auto first = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto second = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    for (int i = 0; i < 2; ++i) {
        REQUIRE(lease_all(queue).size() == 2);
        queue.open();
    }
    return {first, second};
}

/// What there is to do now.
queue::DueNow deliver(StoreFixture& queue, queue::QueueId id) {
    return queue
        .transact([&](queue::Store& store) {
            return queue::settle(store, {{id, {{0, delivered()}}, true}});
        })
        .value();
}

}  // namespace

TEST_CASE("an attempt counts from its lease on, whatever ends it") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    crash_with(queue, id);
    CHECK(attempts_of(queue, id) == 1);
    crash_with(queue, id);
    CHECK(attempts_of(queue, id) == 2);
    queue.clock.advance(64s);
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK(attempts_of(queue, id) == 3);
    queue.settle({all(leased[0], unreachable())});
    CHECK(attempts_of(queue, id) == 3);
}

TEST_CASE("after one crash what was under way is due at once, each in a lease of its own") {
    StoreFixture queue;
    for (int i = 0; i < 3; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(queue.lease().size() == 3);
    queue.open();
    for (int i = 0; i < 2; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    for (const std::size_t size : {1, 1, 1, 2, 0})
        CHECK(queue.lease().size() == size);
}

TEST_CASE("what was not under way in a crash is leased in front of what was, together") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(queue.lease().size() == 1);
    for (int i = 0; i < 2; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.advance(1s);
    queue.open();
    for (const std::size_t size : {2, 1, 0})
        CHECK(queue.lease().size() == size);
}

TEST_CASE("from the second crash on it waits, and no two such are under way together") {
    StoreFixture queue;
    const auto [first, second] = add_two_suspects(queue);
    CHECK(queue.lease().empty());
    const auto due = queue::next_due(queue.store(), kToB);
    REQUIRE(due);
    // Twice the first wait of the fixture's policy, less an eighth at most.
    CHECK(*due >= queue.clock.now() + 14s);
    CHECK(*due <= queue.clock.now() + 16s);
    queue.clock.advance(16s);
    const auto fresh = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    auto leased = lease_all(queue);
    REQUIRE(leased.size() == 2);
    CHECK(std::ranges::count(leased, fresh) == 1);
    const auto suspect = std::ranges::count(leased, first) == 1 ? first : second;
    const auto other = suspect == first ? second : first;
    CHECK(std::ranges::count(leased, other) == 0);
    // It is looked at again some time, and not at once.
    CHECK(queue::next_due(queue.store(), kToB) == queue.clock.now() + queue::kSuspectPause);
    queue.clock.advance(queue::kSuspectPause);
    CHECK(queue.lease().empty());
    queue.settle({{suspect, {{0, delivered()}}, true}});
    queue.clock.advance(queue::kSuspectPause);
    leased = lease_all(queue);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0] == other);
}

TEST_CASE("those that wait for each other go one after another, without a pause") {
    StoreFixture queue;
    std::vector<queue::QueueId> suspects;
    for (int i = 0; i < 30; ++i) {
        suspects.push_back(queue.add(arrival("alice@a.test", {"bob@b.test"})));
        suspects.push_back(queue.add(arrival("alice@a.test", {"carol@a.test"})));
    }
    // As a delivery run does: until nothing is due.
    const auto lease_due = [&](const queue::Destination& destination) {
        std::vector<queue::QueueId> ids;
        const auto is_due = [&] {
            const auto due = queue::next_due(queue.store(), destination);
            return due && *due <= queue.clock.now();
        };
        while (is_due()) {
            for (const auto& message :
                 queue.lease(destination, destination == kToB ? kReadyB : kOneByOne))
                ids.push_back(message.id);
        }
        return ids;
    };
    const auto lease_everything = [&] {
        auto ids = lease_due(kToB);
        std::ranges::copy(lease_due(kLocal), std::back_inserter(ids));
        return ids;
    };
    for (int i = 0; i < 2; ++i) {
        REQUIRE(lease_everything().size() == suspects.size());
        queue.open();
    }
    CHECK(lease_everything().empty());
    queue.clock.advance(16s);
    auto under_way = lease_everything();
    for (std::size_t left = suspects.size() - 1; left > 0; --left) {
        REQUIRE(under_way.size() == 1);
        const auto due_now = deliver(queue, under_way[0]);
        REQUIRE(due_now.size() == 1);
        under_way = lease_due(due_now.front());
    }
    REQUIRE(under_way.size() == 1);
    CHECK(deliver(queue, under_way[0]).empty());
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE pending > 0") == 0);
}

TEST_CASE("who could go already, but for its destination, is not called again and again") {
    StoreFixture queue;
    const auto first = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto to_c = queue.add(arrival("alice@a.test", {"carol@c.test"}));
    const auto last = queue.add(arrival("alice@a.test", {"carol@a.test"}));
    const queue::Destination c{queue::Lane::xmpp, "mail.a.test", "c.test"};
    for (int i = 0; i < 2; ++i) {
        REQUIRE(queue.lease().size() == 1);
        REQUIRE(queue.lease(c, kReadyB).size() == 1);
        REQUIRE(queue.lease(kLocal, kOneByOne).size() == 1);
        queue.open();
    }
    queue.clock.advance(16s);
    REQUIRE(lease_all(queue) == std::vector{first});
    CHECK(queue.lease(c, kReadyB).empty());
    CHECK(queue.lease(kLocal, kOneByOne).empty());
    // The peer of c.test is out, and nothing is leased for it now.
    CHECK(deliver(queue, first) == queue::DueNow{c});
    queue.clock.advance(queue::kSuspectPause);
    REQUIRE(queue.lease(kLocal, kOneByOne).size() == 1);
    CHECK(deliver(queue, last).empty());
    CHECK(queue.lease(c, kReadyB).size() == 1);
    CHECK(crashes_of(queue, to_c) == 2);
}

TEST_CASE("who is due later does not go when another one has come through") {
    StoreFixture queue;
    const auto [first, second] = add_two_suspects(queue);
    const auto due = [&](queue::QueueId id) {
        return queue.count("SELECT due_at FROM recipient WHERE message = " +
                           std::to_string(id.value));
    };
    const auto later = queue::to_millis(queue.clock.now() + 60s);
    const std::string put_off = "UPDATE recipient SET due_at = " + std::to_string(later) +
                                " WHERE message = " + std::to_string(second.value);
    queue.store().database().connection().exec(put_off);
    queue.clock.advance(16s);
    REQUIRE(lease_all(queue) == std::vector{first});
    CHECK(deliver(queue, first).empty());
    CHECK(due(second) == later);
}

TEST_CASE("what was under way in five crashes is in quarantine, and its neighbours are delivered") {
    StoreFixture queue;
    const auto poison = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    for (int i = 0; i < 5; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    REQUIRE(lease_all(queue).size() == 6);
    queue.open();
    for (int crash = 2; crash <= queue::kMostCrashes; ++crash) {
        CHECK(in_quarantine(queue) == 0);
        crash_with(queue, poison);
    }
    CHECK(in_quarantine(queue) == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4 AND message = " +
                      std::to_string(poison.value)) == 2);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE damage ="
                      " 'its delivery was under way in 5 crashes'") == 1);
    for (const auto id : lease_all(queue))
        queue.settle({{id, {{0, delivered()}}, true}});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 6") == 5);
    CHECK(queue::verify(queue.store().database(), {&queue.store().files()}).empty());
    const auto notices = queue.lease(kLocal, kOneByOne);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].envelope.recipients[0].address.text() == "postmaster@a.test");

    // Who has looked and released it gives it as many chances again.
    queue::Selection it;
    it.ids = {poison};
    REQUIRE(queue.transact(
        [&](queue::Store& s) { return queue::operate(s, queue::Verb::release, it, {}); }));
    crash_with(queue, poison);
    CHECK(crashes_of(queue, poison) == 1);
    CHECK(in_quarantine(queue) == 0);
}

TEST_CASE("any outcome begins the count anew") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    for (int round = 0; round < 2; ++round) {
        for (int crash = 1; crash < queue::kMostCrashes; ++crash)
            crash_with(queue, id);
        CHECK(crashes_of(queue, id) == queue::kMostCrashes - 1);
        queue.clock.advance(64s);
        const auto leased = queue.lease();
        REQUIRE(leased.size() == 1);
        queue.settle({all(leased[0], unreachable())});
        CHECK(crashes_of(queue, id) == 0);
    }
    CHECK(in_quarantine(queue) == 0);
}

TEST_CASE("a message that waits is not suspected for the crashes of others") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    crash_with(queue, id);
    crash_with(queue, id);
    for (int i = 0; i < 10; ++i) {
        // A start puts it off anew, so that a short life is no chance for it.
        const auto before = queue::next_due(queue.store(), kToB);
        queue.clock.advance(5s);
        queue.open();
        CHECK(queue::next_due(queue.store(), kToB) > before);
    }
    CHECK(crashes_of(queue, id) == 2);
}

TEST_CASE("however much was under way, each of it is counted once") {
    StoreFixture queue;
    for (int i = 0; i < 250; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    REQUIRE(lease_all(queue).size() == 250);
    queue.open();
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE crashes = 1") == 250);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 1") == 500);
}

TEST_CASE("a stop is no crash") {
    boost::asio::io_context io;
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    crash_with(queue, id);
    CHECK(crashes_of(queue, id) == 1);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    {
        queue::StorageThread thread(io.get_executor(),
                                    std::make_unique<queue::SqliteLedger>(queue.give_store()));
        const auto leased = run<std::size_t>(io, [&]() -> base::Task<std::size_t> {
            queue::LeaseDue lease{kToB, kReadyB, true, false};
            const auto taken = co_await thread.write(std::move(lease));
            co_return (*taken)->lease.messages.size();
        });
        CHECK(leased == 1);
    }
    queue.open();
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE crashes > 0") == 0);
    CHECK(queue.lease().size() == 2);
}
