#include "queue/sqlite/sqlite_ledger.hpp"

#include "queue/sqlite/store/damage.hpp"
#include "support/queue/damaged_page.hpp"
#include "support/queue/kept_queue.hpp"

#include <thread>

#include <catch2/catch.hpp>

using namespace support;

namespace {

std::int64_t messages_in(const Folder& folder) {
    SQLite::Database database((folder.path() / "queue.db").string(), SQLite::OPEN_READONLY);
    return database.execAndGet("SELECT COUNT(*) FROM message").getInt64();
}

}  // namespace

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
