#include "queue/sqlite/admin/backup.hpp"

#include "queue/sqlite/admin/verify.hpp"
#include "support/contents.hpp"
#include "support/queue/fixture.hpp"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>
#include <sys/stat.h>

using namespace support;

namespace {

std::vector<queue::Finding> faults(StoreFixture& queue) {
    return queue::verify(queue.store().database(),
                         {&queue.store().files(), &queue.store().spool(), false});
}

base::Result<queue::BackupFacts> back_up(StoreFixture& queue, const std::filesystem::path& file) {
    auto database = queue::Database::open_for_reading(queue.folder.path() / "queue.db");
    REQUIRE(database);
    (*database)->execute("BEGIN"_sql);
    return queue::write_backup(**database, queue.store().files(), file);
}

std::string read_migration(const char* name) {
    std::ifstream in(std::filesystem::path(PACKETBOAT_SOURCE_DIR) / "schema/migrations" / name);
    std::ostringstream text;
    text << in.rdbuf();
    REQUIRE_FALSE(text.str().empty());
    return text.str();
}

/// One mail, in a database as the program wrote it at `version`.
void write_old_queue(const std::filesystem::path& file, int version) {
    SQLite::Database old(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    old.exec(read_migration("001-queue.sql"));
    old.exec(
        "INSERT INTO message VALUES (1800000000000000, 1800000000000, 1900000000000,"
        " 'alice@a.test', 0, 0, 0, 0, '', 1, 'c', 'h', '', '', '', 4, '', '', 1, NULL)");
    old.exec("INSERT INTO content VALUES (1800000000000000, CAST('a: b' AS BLOB))");
    old.exec("INSERT INTO destination VALUES (1, 1, 'mail.a.test', 'b.test')");
    old.exec(
        "INSERT INTO recipient VALUES (1800000000000000, 0, 1, 'bob@b.test', 0, '', 1, 0,"
        " 1800000000000, NULL, NULL, NULL, NULL, NULL, NULL)");
    if (version > 1) old.exec(read_migration("002-pieces.sql"));
    if (version > 2) old.exec(read_migration("003-outcomes.sql"));
    old.exec("PRAGMA user_version = " + std::to_string(version));
}

void check_mail_of_old_queue(const Folder& folder) {
    ManualClock clock;
    SeededRandom random;
    auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
    REQUIRE(store);
    const auto leased = queue::lease(**store, kToB, kReadyB);
    REQUIRE(leased);
    REQUIRE(leased->messages.size() == 1);
    CHECK(leased->messages[0].content.bytes() == "a: b");
}

const std::string kLarge(base::limits::kInlineContent + 12345, 'x');

}  // namespace

TEST_CASE("a queue in use is sound, whatever is in it") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test", "nobody@b.test"}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}, kLarge));
    queue.add(from_peer());
    CHECK(faults(queue).empty());
    const auto leased = queue.lease();
    queue.settle({{leased[0].id, {{0, delivered()}, {1, failed()}}, true}});
    queue.settle({all(queue.lease(kLocal, kOneByOne)[0], failed())});
    CHECK(faults(queue).empty());
}

TEST_CASE("each invariant that is broken is found") {
    const auto [sql, what] = GENERATE(table<std::string, std::string>({
        {"UPDATE recipient SET state = 10", "no known state"},
        {"DELETE FROM message", "has no message"},
        {"UPDATE message SET pending = 5", "the count of recipients"},
        {"UPDATE message SET ended_at = 1", "does not say when"},
        {"UPDATE recipient SET ended_at = 1", "a recipient has ended"},
        {"DELETE FROM content", "has no content"},
        {"UPDATE content SET bytes = x'00'", "another size"},
        {"UPDATE message SET damage = 'x'", "none of its recipients is held"},
        {"DELETE FROM destination", "destination is unknown"},
        {"UPDATE recipient SET transfer = 77", "transfer is unknown"},
        {"UPDATE recipient SET state = 2", "nobody does"},
        {"UPDATE recipient SET address = 'x'", "recipient 0"},
        {"UPDATE message SET sender = 'x'", "is damaged"},
        {"INSERT INTO content VALUES (1, x'')", "does not wait"},
        {"INSERT INTO event VALUES (1, 1, 1, NULL, 'x', 'x')", "history has no message"},
        {"INSERT INTO header VALUES (1, x'')", "header has no message"},
        {"INSERT INTO report VALUES (1, 1)", "no transfer"},
        {"INSERT INTO transfer (number, id, domain, message, peer, sends, created_at, expires_at)"
         " VALUES (1, 'x', 'a.test', 1, 'p', 0, 0, 0)",
         "has no message"},
        {"INSERT INTO verdict VALUES ('x', 'a.test', x'', 'p', NULL, 'nonsense', 0, 0, '')",
         "transfer x"},
        {"UPDATE recipient SET state = 7, ended_at = 1; UPDATE message SET pending = 0, "
         "ended_at = 1, kept_from = 1; DELETE FROM content",
         "was not told"},
    }));
    CAPTURE(sql);
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.transact([&](queue::Store& s) {
        s.database().connection().exec(sql);
        return 0;
    });
    const auto findings = faults(queue);
    CHECK(std::ranges::any_of(findings, [&, text = what](const queue::Finding& finding) {
        return finding.text.find(text) != std::string::npos;
    }));
}

TEST_CASE("a content's file that is gone is found") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}, kLarge));
    std::filesystem::remove_all(queue.folder.path() / "content");
    REQUIRE(faults(queue).size() == 1);
    CHECK(faults(queue)[0].text.find("missing") != std::string::npos);
}

TEST_CASE("a backup is one file, and the queue that is restored from it goes on") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}, "Subject: small\r\n\r\n"));
    queue.add(arrival("alice@a.test", {"bob@b.test"}, kLarge));
    REQUIRE(queue.lease().size() == 1);  // which is under way while the backup is made
    const Folder elsewhere;
    const auto file = elsewhere.path() / "backup";
    const auto facts = back_up(queue, file);
    REQUIRE(facts);
    CHECK(facts->messages == 2);
    CHECK(facts->missing == 0);
    CHECK(facts->bytes > kLarge.size());
    struct stat mode {};
    REQUIRE(::stat(file.c_str(), &mode) == 0);
    CHECK((mode.st_mode & 0777) == 0600);

    const auto again = back_up(queue, file);
    REQUIRE_FALSE(again);
    CHECK(again.error().code == base::Errc::conflict);

    const Folder fresh;
    const auto restored = queue::restore_backup(file, fresh.path());
    REQUIRE(restored);
    CHECK(restored->messages == 2);
    ManualClock clock;
    SeededRandom random;
    auto store = queue::open_queue(settings_in(fresh), a_test_router(), clock, random);
    REQUIRE(store);
    CHECK(queue::verify((*store)->database(), {&(*store)->files(), &(*store)->spool(), false})
              .empty());
    const auto small = queue::lease(**store, kToB, kReadyB);
    REQUIRE(small);
    REQUIRE(small->messages.size() == 1);
    CHECK(small->messages[0].content.bytes() == "Subject: small\r\n\r\n");
    const auto large = queue::lease(**store, kToB, kReadyB, queue::Portion::large);
    REQUIRE(large);
    REQUIRE(large->messages.size() == 1);
    CHECK(all_of(large->messages[0].content) == kLarge);
}

TEST_CASE("a backup that can't be written where it is to be is an error, and leaves nothing") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const Folder elsewhere;
    const auto in = [&](const std::string& name) { return elsewhere.path() / name; };
    std::filesystem::create_symlink("self", in("self"));
    std::filesystem::create_symlink("nowhere", in("dangling"));
    std::filesystem::create_directory(in("folder"));
    REQUIRE(::mkfifo(in("fifo").c_str(), 0600) == 0);
    std::ofstream(in("file")) << "somebody's";
    const std::string long_name(300, 'x');
    for (const auto& [file, code] :
         {std::pair(in("self"), base::Errc::conflict), std::pair(in("self/x"), base::Errc::storage),
          std::pair(in("dangling"), base::Errc::conflict),
          std::pair(in("dangling/x"), base::Errc::storage),
          std::pair(in("folder"), base::Errc::conflict),
          std::pair(in("fifo"), base::Errc::conflict), std::pair(in("file"), base::Errc::conflict),
          std::pair(in("file/x"), base::Errc::storage),
          std::pair(in("missing/x"), base::Errc::storage),
          std::pair(in(long_name), base::Errc::storage),
          std::pair(in(long_name + "/x"), base::Errc::storage)}) {
        CAPTURE(file);
        const auto refused = back_up(queue, file);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == code);
    }
    CHECK(std::distance(std::filesystem::directory_iterator(elsewhere.path()), {}) == 5);
}

TEST_CASE("while a backup copies the files, none is removed, and afterwards those that were due") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}, kLarge));
    queue.store().files().pin();
    queue.settle({all(queue.lease(kToB, kReadyB, queue::Portion::large)[0], delivered())});
    CHECK(queue.folder.files_in("content") == 1);
    queue.store().files().unpin();
    CHECK(queue.folder.files_in("content") == 0);
}

TEST_CASE("what is no backup, or would replace mail, is refused, and nothing is touched") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const Folder elsewhere;
    const auto file = elsewhere.path() / "backup";
    REQUIRE(back_up(queue, file));
    const auto refused = [](const std::filesystem::path& from, const std::filesystem::path& to) {
        const auto restored = queue::restore_backup(from, to);
        REQUIRE_FALSE(restored);
        return restored.error().text;
    };
    CHECK(refused(file, queue.folder.path()).find("another packetboat") != std::string::npos);
    {
        const Folder used;
        std::filesystem::copy(file, used.path() / "queue.db");
        CHECK(refused(file, used.path()).find("not empty") != std::string::npos);
    }
    const Folder fresh;
    CHECK(refused(elsewhere.path() / "none", fresh.path()).find("no such file") !=
          std::string::npos);
    std::ofstream(elsewhere.path() / "text") << "this is no database at all, whatever its length";
    CHECK_FALSE(refused(elsewhere.path() / "text", fresh.path()).empty());
    {
        SQLite::Database broken(file.string(), SQLite::OPEN_READWRITE);
        broken.exec("UPDATE message SET pending = 9");
    }
    CHECK(refused(file, fresh.path()).find("the backup is damaged") != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(fresh.path() / "queue.db"));
}

TEST_CASE("an older database is copied before it is brought up to date, with its mail") {
    const Folder folder;
    write_old_queue(folder.path() / "queue.db", 1);
    check_mail_of_old_queue(folder);
    SQLite::Database copy((folder.path() / "queue.db.v1").string());
    CHECK(copy.execAndGet("PRAGMA user_version").getInt() == 1);
    CHECK(copy.execAndGet("SELECT COUNT(*) FROM message").getInt() == 1);
}

TEST_CASE("a backup of any version is restored, brought up to date, and stays as it is") {
    const int version = GENERATE(1, 2, 3);
    CAPTURE(version);
    const Folder elsewhere;
    const auto file = elsewhere.path() / "backup";
    write_old_queue(file, version);
    const Folder fresh;
    const auto restored = queue::restore_backup(file, fresh.path());
    REQUIRE(restored);
    CHECK(restored->messages == 1);
    CHECK_FALSE(std::filesystem::exists(fresh.path() / "queue.db.v1"));
    CHECK_FALSE(std::filesystem::exists(fresh.path() / "queue.db-wal"));
    check_mail_of_old_queue(fresh);
    SQLite::Database backup(file.string());
    CHECK(backup.execAndGet("PRAGMA user_version").getInt() == version);
}

TEST_CASE("a table of peers that grew without bound is cut to those that are worth most") {
    const Folder folder;
    {
        SQLite::Database old((folder.path() / "queue.db").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        for (const char* each :
             {"001-queue.sql", "002-pieces.sql", "003-outcomes.sql", "004-retired.sql"})
            old.exec(read_migration(each));
        old.exec(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
            " INSERT INTO peer SELECT 'x' || i || '.evil.test', 'mail.evil.test', 9, 9 FROM n");
        old.exec(
            "INSERT INTO peer VALUES ('b.test', 'mail.b.test', 1, 1),"
            " ('c.test', 'mail.c.test', 1, 1)");
        old.exec("INSERT INTO transfer VALUES (1, 'id', 'a.test', 1, 'mail.b.test', 1, 77, 99)");
        old.exec(
            "INSERT INTO message VALUES (1, 55, 99, 'carol@c.test', 0, 0, 0, 0, '', 2,"
            " 'mail.c.test', '', '', '', '', 4, '', '', 0, 60, 0, NULL, 0, 60)");
        old.exec("PRAGMA user_version = 4");
    }
    ManualClock clock;
    SeededRandom random;
    REQUIRE(queue::open_queue(settings_in(folder), a_test_router(), clock, random));
    SQLite::Database now((folder.path() / "queue.db").string());
    CHECK(now.execAndGet("SELECT COUNT(*) FROM peer").getInt() == 50000);
    CHECK(now.execAndGet("SELECT sent_at FROM peer WHERE domain = 'b.test'").getInt() == 77);
    CHECK(now.execAndGet("SELECT received_at FROM peer WHERE domain = 'c.test'").getInt() == 55);
}

TEST_CASE("components that older versions knew in A-labels are the same ones afterwards") {
    const Folder folder;
    const std::string file = (folder.path() / "queue.db").string();
    const std::string u =
        "mail.b\xC3\xBC"
        "cher.test";
    {
        SQLite::Database old(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        for (const char* each : {"001-queue.sql", "002-pieces.sql", "003-outcomes.sql",
                                 "004-retired.sql", "005-organisations.sql", "006-peers-words.sql"})
            old.exec(read_migration(each));
        const std::string a = "mail.xn--bcher-kva.test";
        old.exec("INSERT INTO peer VALUES ('xn--bcher-kva.test', '" + a + "', 1, 2, 3, 4)");
        old.exec("INSERT INTO transfer VALUES (1, 'id', 'a.test', 1, '" + a + "', 1, 77, 99, 1)");
        old.exec("INSERT INTO verdict VALUES ('id', 'xn--bcher-kva.test', x'00', '" + a +
                 "', NULL, '', 99, 0, 'xn--bcher-kva.test')");
        old.exec("INSERT INTO partial VALUES ('id', 'xn--bcher-kva.test', x'00', '" + a +
                 "', 1, 9, 1, 99, 1, 'xn--bcher-kva.test', 0)");
        old.exec("INSERT INTO retired VALUES ('" + a + "', 1), ('" + u + "', 2)");
        old.exec(
            "INSERT INTO message VALUES (1, 55, 99, 'eva@xn--bcher-kva.test', 0, 0, 0, 0, '', 2, "
            "'" +
            a + "', '', 'xn--bcher-kva.test', 'id', '" + a +
            "', 4, '', '', 3, 60, 0, NULL, 0, NULL)");
        old.exec("INSERT INTO destination VALUES (1, 1, '" + a + "', 'xn--b-xga.test'), (2, 1, '" +
                 u + "', 'xn--b-xga.test'), (3, 4, 'mail.a.test', '" + a +
                 "'), (4, 2, '', 'xn--bcher-kva.test')");
        for (const char* n : {"1", "2", "3"})
            old.exec(
                std::string(
                    "INSERT INTO recipient (message, n, destination, address, notify, orcpt, state,"
                    " attempts, due_at) VALUES (1, ") +
                n + ", " + n + ", 'x@b.test', 0, '', 1, 0, 0)");
        old.exec("PRAGMA user_version = 6");
    }
    REQUIRE(queue::Database::open(file));
    SQLite::Database now(file);
    const auto text = [&](const char* sql) { return now.execAndGet(sql).getString(); };
    CHECK(text("SELECT domain || ' ' || component FROM peer") == "xn--bcher-kva.test " + u);
    CHECK(text("SELECT peer FROM transfer") == u);
    CHECK(text("SELECT domain || ' ' || peer FROM verdict") == "xn--bcher-kva.test " + u);
    CHECK(text("SELECT peer FROM partial") == u);
    CHECK(text("SELECT group_concat(component) FROM retired") == u);
    CHECK(text("SELECT sender || ' ' || origin_client || ' ' || origin_component FROM message") ==
          "eva@xn--bcher-kva.test " + u + " " + u);
    // The mail of both spellings waits for one.
    CHECK(text("SELECT group_concat(destination) FROM recipient") == "2,2,3");
    CHECK(text("SELECT component || ' ' || domain FROM destination WHERE id = 2") ==
          u + " xn--b-xga.test");
    CHECK(text("SELECT component || ' ' || domain FROM destination WHERE id = 3") ==
          "mail.a.test " + u);
    CHECK(text("SELECT domain FROM destination WHERE id = 4") == "xn--bcher-kva.test");
    CHECK(now.execAndGet("SELECT COUNT(*) FROM destination").getInt() == 3);
}
