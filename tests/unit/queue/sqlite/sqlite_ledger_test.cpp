#include "queue/sqlite/sqlite_ledger.hpp"

#include "queue/sqlite/store/damage.hpp"
#include "support/queue/damaged_page.hpp"
#include "support/queue/fixture.hpp"

#include <thread>

#include <catch2/catch.hpp>

using namespace support;

namespace {

queue::Operation accept(const queue::Arrival& mail) {
    return queue::Accept{std::make_shared<const queue::Arrival>(mail)};
}

/// All in one transaction.
std::vector<base::Result<queue::Answer>> run_all(queue::Ledger& ledger,
                                                 const std::vector<queue::Operation>& operations) {
    std::size_t next = 0;
    return ledger.run([&]() -> const queue::Operation* {
        return next < operations.size() ? &operations[next++] : nullptr;
    });
}

template <class T>
T value(const base::Result<queue::Answer>& answer) {
    return std::get<T>(answer.value());
}

std::int64_t messages_in(const Folder& folder) {
    SQLite::Database database((folder.path() / "queue.db").string(), SQLite::OPEN_READONLY);
    return database.execAndGet("SELECT COUNT(*) FROM message").getInt64();
}

}  // namespace

TEST_CASE("an operation finds what those before it in its transaction have done") {
    StoreFixture queue;
    queue::SqliteLedger ledger(queue.give_store());
    const auto answers = run_all(
        ledger, {accept(arrival("bob@b.test", {"alice@a.test"})), queue::FindNextDue{kLocal},
                 queue::LeaseDue{kLocal, kOneByOne, true, true}});
    REQUIRE(answers.size() == 3);
    CHECK(value<std::optional<base::TimePoint>>(answers[1]) == queue.clock.now());
    const auto leased = value<queue::Leased>(answers[2]);
    REQUIRE(leased.lease.messages.size() == 1);
    CHECK(leased.lease.messages[0].id == value<queue::Receipt>(answers[0]).id);
    CHECK(leased.portion == queue::Portion::small);
}

TEST_CASE("one that fails has done nothing, and takes nothing with it") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.add(arrival("alice@a.test", {"carol@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 2);
    queue.store().database().connection().exec(
        "UPDATE recipient SET address = 'x' WHERE message = " + std::to_string(leased[1].id.value));
    queue::SqliteLedger ledger(queue.give_store());
    // The second outcome can't be recorded: what was written of the first is undone with it.
    const auto outcomes = std::make_shared<std::vector<queue::MessageOutcome>>();
    outcomes->push_back(all(leased[0], delivered()));
    outcomes->push_back(all(leased[1], delivered()));
    const auto answers =
        run_all(ledger, {accept(arrival("bob@b.test", {"alice@a.test"})), queue::Settle{outcomes},
                         accept(arrival("bob@b.test", {"anna@a.test"}))});
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].has_value());
    CHECK_FALSE(answers[1].has_value());
    CHECK(answers[2].has_value());
    CHECK(messages_in(queue.folder) == 4);
    SQLite::Database database((queue.folder.path() / "queue.db").string(), SQLite::OPEN_READONLY);
    CHECK(database
              .execAndGet("SELECT state FROM recipient WHERE message = " + std::to_string(id.value))
              .getInt() == 2);
}

TEST_CASE("another program that writes for a while delays mail, and refuses none") {
    StoreFixture queue;
    queue::SqliteLedger ledger(queue.give_store());
    SQLite::Database other((queue.folder.path() / "queue.db").string(), SQLite::OPEN_READWRITE);
    other.exec("BEGIN IMMEDIATE");
    // It may take as long as it likes to come to the lock, which lasts for a moment.
    std::thread end([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        other.exec("COMMIT");
    });
    const auto answers = run_all(ledger, {accept(arrival("bob@b.test", {"alice@a.test"}))});
    end.join();
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].has_value());
}

TEST_CASE("damage where something is read is an error of all, and noted for the next start") {
    StoreFixture queue;
    queue.store().database().execute("BEGIN"_sql);
    for (int i = 0; i < 500; ++i) {
        queue::Query insert = queue.store().database().query(
            "INSERT INTO peer (domain, component, first_seen, last_seen, sent_at, received_at)"
            " VALUES (?1, 'mail.b.test', 0, 0, 0, 0)"_sql);
        insert.bind("d" + std::to_string(1000 + i) + ".test").run();
    }
    queue.store().database().execute("COMMIT"_sql);
    REQUIRE(overwrite_second_leaf(queue, "peer") > 0);
    queue::SqliteLedger ledger(queue.give_store());
    CHECK_FALSE(ledger.damage());
    const auto answers = run_all(
        ledger, {accept(arrival("bob@b.test", {"alice@a.test"})), queue::LoadPeers{"", 1000}});
    REQUIRE(answers.size() >= 2);
    CHECK_FALSE(answers[0].has_value());
    CHECK_FALSE(answers[1].has_value());
    REQUIRE(ledger.damage());
    CHECK(ledger.damage()->code == base::Errc::damaged);
    CHECK(queue::is_damage_noted(queue.folder.path()));
    CHECK(messages_in(queue.folder) == 0);
    // Everything else goes on until the next start.
    CHECK(run_all(ledger, {accept(arrival("bob@b.test", {"alice@a.test"}))})[0].has_value());
}

TEST_CASE("what is under way at a stop is due again") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    {
        queue::SqliteLedger ledger(queue.give_store());
        const auto answers = run_all(ledger, {queue::LeaseDue{kToB, kReadyB, true, true}});
        REQUIRE(value<queue::Leased>(answers[0]).lease.messages.size() == 1);
        ledger.release();
    }
    queue.open();
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 1") == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE crashes > 0") == 0);
}
