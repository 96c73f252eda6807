#include "queue/sqlite/delivery/quarantine.hpp"

#include "queue/sqlite/admin/operations.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/delivery/quarantine_expiry.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

namespace {

void break_it(StoreFixture& queue, queue::Sql sql, queue::QueueId id) {
    queue.transact([&](queue::Store& s) {
        auto statement = s.database().query(sql);
        statement.bind(id.value).run();
        return 0;
    });
}

}  // namespace

TEST_CASE(
    "a damaged message is held and reported, its sender hears in the end, and the others go on") {
    StoreFixture queue;
    const auto damaged = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto whole = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    SECTION("its content is gone") {
        break_it(queue, "DELETE FROM content WHERE message = ?1"_sql, damaged);
    }
    SECTION("its content has another size") {
        break_it(queue, "UPDATE content SET bytes = x'00' WHERE message = ?1"_sql, damaged);
    }
    SECTION("the file with its content is gone") {
        break_it(queue, "UPDATE content SET bytes = NULL WHERE message = ?1"_sql, damaged);
    }
    SECTION("a recipient's address is none") {
        break_it(queue, "UPDATE recipient SET address = 'x' WHERE message = ?1 AND n = 1"_sql,
                 damaged);
    }
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].id == whole);
    queue.settle({all(leased[0], delivered())});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 2);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL") == 1);

    const auto notices = queue.lease(kLocal, kOneByOne);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].envelope.recipients[0].address.text() == "postmaster@a.test");
    CHECK(notices[0].content.bytes().find(damaged.to_text()) != std::string_view::npos);
    queue.settle({all(notices[0], delivered())});

    queue.clock.advance(std::chrono::hours(24 * 5));
    const auto due_now =
        queue.transact([](queue::Store& s) { return queue::expire_quarantine(s); }).value().due_now;
    const bool unreadable = queue.count("SELECT COUNT(*) FROM recipient WHERE address = 'x'") > 0;
    if (unreadable) return;
    CHECK(due_now == queue::DueNow{kLocal});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 2);
    const auto reports = queue.lease(kLocal, kOneByOne);
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].envelope.recipients[0].address.text() == "alice@a.test");
}

TEST_CASE("a message without a row of its own is held, and stops nobody") {
    StoreFixture queue;
    const auto damaged = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    break_it(queue, "DELETE FROM message WHERE id = ?1"_sql, damaged);
    CHECK(queue.lease().size() == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 1);
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

TEST_CASE("what became of a message whose row was lost meanwhile is no reason to send it again") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    break_it(queue, "DELETE FROM message WHERE id = ?1"_sql, id);
    queue.settle({all(leased[0], delivered())});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM event WHERE what = 'delivered'") == 1);
    CHECK(queue.lease().empty());
}

TEST_CASE("what its peer knows as another message is held, and the administrator hears of it") {
    StoreFixture queue;
    const auto id =
        queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test", "dan@c.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    const queue::Held held{reply(451, "4.5.0", "mail.b.test knows it with another message"),
                           "mail.b.test"};
    CHECK(queue.settle({all(leased[0], held)}) == queue::DueNow{kLocal});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 2);
    // Whoever has it elsewhere is not held for that.
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 1") == 2);
    CHECK(queue.lease().empty());
    CHECK(queue::verify(queue.store().database(), {&queue.store().files()}).empty());
    const auto notices = queue.lease(kLocal, kOneByOne);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].envelope.recipients[0].address.text() == "postmaster@a.test");
    CHECK(notices[0].content.bytes().find(id.to_text()) != std::string_view::npos);
    CHECK(notices[0].content.bytes().find("knows it with another message") !=
          std::string_view::npos);
    queue.settle({all(notices[0], delivered())});

    SECTION("it is let go again, as it was") {
        const auto released = queue.transact([&](queue::Store& s) {
            return queue::operate(s, queue::Verb::release, queue::Selection(), {});
        });
        CHECK(released->changed == 2);
        const auto again = queue.lease();
        REQUIRE(again.size() == 1);
        CHECK(again[0].transfer->key == leased[0].transfer->key);
        CHECK(again[0].transfer->sent_before);
    }
    SECTION("nobody looks: its sender hears in the end, and that delivery can't be excluded") {
        queue.clock.advance(std::chrono::hours(24 * 5));
        queue.transact([](queue::Store& s) { return queue::expire_quarantine(s); }).value().due_now;
        CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 2);
        const auto reports = queue.lease(kLocal, kOneByOne);
        REQUIRE(reports.size() == 1);
        CHECK(reports[0].envelope.recipients[0].address.text() == "alice@a.test");
        CHECK(reports[0].content.bytes().find("can't be excluded") != std::string_view::npos);
    }
    SECTION("it is given up: nothing is in quarantine any more") {
        REQUIRE(queue.transact([&](queue::Store& s) {
            return queue::end_recipients(s, id, {0, 1}, false);
        }));
        CHECK(queue::verify(queue.store().database(), {&queue.store().files()}).empty());
        CHECK(queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL") == 0);
    }
}

TEST_CASE("a message is in quarantine for as long as one of its recipients is held there") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    break_it(queue, "UPDATE content SET bytes = x'00' WHERE message = ?1"_sql, id);
    REQUIRE(queue.lease().empty());
    const auto cancel = [&](std::uint32_t n) {
        REQUIRE(queue.transact(
            [&](queue::Store& s) { return queue::end_recipients(s, id, {n}, false); }));
        return queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL AND pending > 0");
    };
    CHECK(cancel(0) == 1);
    CHECK(cancel(1) == 0);
}
