#include "queue/sqlite/recovery/repair.hpp"

#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "support/queue/fixture.hpp"

#include <fstream>
#include <random>
#include <set>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <sqlite3.h>

using namespace support;

namespace {

constexpr std::size_t kPageSize = 4096;  // SQLite's bytes of a page
const std::string kLarge(base::limits::kInlineContent + 12345, 'x');

/// What is known of each message, by its id: all that must not change unnoticed. Of what has ended,
/// little.
using Snapshot = std::map<std::int64_t, std::string>;

std::filesystem::path file_of(const std::filesystem::path& directory) {
    return directory / "queue.db";
}

Snapshot look(const std::filesystem::path& directory) {
    Snapshot snapshot;
    SQLite::Database database(file_of(directory).string());
    SQLite::Statement all(
        database,
        "SELECT m.id, m.sender || ' ' || m.size || ' ' || (m.ended_at IS NOT NULL) || ' '"
        " || COALESCE(hex(c.bytes), '-') || COALESCE((SELECT group_concat(r.n || r.address"
        " || REPLACE(r.state, 2, 1) || d.lane || d.domain || COALESCE(t.id, '')) FROM recipient r "
        "JOIN destination d"
        " ON d.id = r.destination LEFT JOIN transfer t ON t.number = r.transfer"
        " WHERE r.message = m.id AND r.state < 5), '')"
        " FROM message m LEFT JOIN content c ON c.message = m.id");
    while (all.executeStep())
        snapshot[all.getColumn(0).getInt64()] = all.getColumn(1).getString();
    return snapshot;
}

/// Recipients in one of `states`.
std::set<std::string> recipients(const std::filesystem::path& directory, const char* states) {
    std::set<std::string> found;
    SQLite::Database database(file_of(directory).string());
    SQLite::Statement all(
        database, fmt::format("SELECT message || '/' || n FROM recipient WHERE state {}", states));
    while (all.executeStep())
        found.insert(all.getColumn(0).getString());
    return found;
}

/// A closed queue with mail in every state, and a list of its database's pages.
class Waiting {
  public:
    explicit Waiting(int mails) {
        StoreFixture queue;
        for (int i = 0; i < mails; ++i) {
            queue.clock.advance(std::chrono::milliseconds(7));
            if (i % 5 == 4) {
                queue::Arrival mail = from_peer();
                mail.origin.transfer->id = fmt::format("018f{:08d}", i);
                mail.transfer = queue::ReceivedTransfer{*mail.origin.transfer,
                                                        "mail.b.test",
                                                        "mail.a.test",
                                                        {},
                                                        queue.clock.now() + std::chrono::hours(24),
                                                        {{0, reply(250, "2.1.5", "")}}};
                queue.add(mail);
                continue;
            }
            const std::string text = fmt::format("Message-ID: <{}@a.test>\r\n\r\n", i) +
                                     std::string(i % 7 == 0 ? 9000 : 300, 'a' + i % 26);
            queue.add(arrival(fmt::format("alice{}@a.test", i),
                              {"bob@b.test", fmt::format("c{}@c{}.test", i, i % 11)}, text));
        }
        queue.add(arrival("alice@a.test", {"bob@b.test"}, kLarge));
        // Some have ended, some wait again, and some are on their way, when the daemon dies.
        int turn = 0;
        for (const auto& leased : queue.lease(kToB, {"mail.b.test", {40, 1000, 1u << 20}})) {
            if (++turn % 3 == 0)
                queue.settle({all(leased, delivered())});
            else if (turn % 3 == 1)
                queue.settle({{leased.id, {{0, unreachable()}}, true}});
        }
        for (const auto& leased : queue.lease(kLocal, {"", {5, 1000, 1u << 20}}))
            queue.settle({all(leased, delivered())});
        for (const auto& leased : queue.lease({queue::Lane::xmpp, "mail.a.test", "c1.test"},
                                              {"mail.c1.test", {3, 9, 1u << 20}}))
            queue.settle({all(leased, failed())});
        now = queue.clock.now();
        // Pages that SQLite has let go.
        queue.transact([](queue::Store& s) {
            s.database().connection().exec(
                "CREATE TABLE gone (bytes TEXT);"
                "INSERT INTO gone VALUES (hex(zeroblob(20000)));"
                "DROP TABLE gone");
            return 0;
        });
        std::filesystem::copy(queue.folder.path(), folder.path(),
                              std::filesystem::copy_options::recursive);
        std::filesystem::remove(folder.path() / "queue.db-shm");
        SQLite::Database database(file_of(folder.path()).string(), SQLite::OPEN_READWRITE);
        database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        SQLite::Statement list(database, "SELECT name, pageno, pagetype, ncell FROM dbstat");
        while (list.executeStep())
            pages.push_back({list.getColumn(0).getString(), list.getColumn(1).getInt64(),
                             list.getColumn(2).getString(), list.getColumn(3).getInt64()});
    }

    struct Page {
        std::string tree;
        std::int64_t number;
        std::string type;  ///< internal, leaf, overflow
        std::int64_t cells;
    };
    Folder folder;
    std::vector<Page> pages;
    base::TimePoint now;
};

/// Writes `bytes` over the page, from `at` on.
void overwrite(const std::filesystem::path& directory, std::int64_t page, std::size_t at,
               const std::string& bytes) {
    std::fstream file(file_of(directory), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>((page - 1) * static_cast<std::int64_t>(kPageSize)) +
               static_cast<std::streamoff>(at));
    file << bytes;
}

char byte_at(const std::filesystem::path& directory, std::int64_t page, std::size_t at) {
    std::ifstream file(file_of(directory), std::ios::binary);
    file.seekg(static_cast<std::streamoff>((page - 1) * static_cast<std::int64_t>(kPageSize)) +
               static_cast<std::streamoff>(at));
    return static_cast<char>(file.get());
}

void flip(const std::filesystem::path& directory, std::int64_t page, std::size_t at, int bits) {
    overwrite(directory, page, at,
              std::string(1, static_cast<char>(byte_at(directory, page, at) ^ bits)));
}

/// Of each tree and kind, the first page and one in the middle.
std::vector<Waiting::Page> some_of_each(const std::vector<Waiting::Page>& pages) {
    std::map<std::string, std::vector<Waiting::Page>> by_tree;
    for (const auto& page : pages)
        by_tree[page.tree + page.type].push_back(page);
    std::vector<Waiting::Page> chosen;
    for (const auto& [tree, all] : by_tree) {
        const std::set<std::size_t> which{0, all.size() / 2};
        for (const std::size_t i : which)
            chosen.push_back(all[i]);
    }
    return chosen;
}

std::vector<queue::Finding> findings(const std::filesystem::path& directory) {
    const auto database = queue::Database::open_for_reading(file_of(directory));
    REQUIRE(database);
    const auto contents = queue::ContentFiles::existing(directory / "content");
    const auto spool = queue::ContentFiles::existing(directory / "spool");
    return queue::verify(**database, {&contents, &spool, false});
}

bool names(const queue::RepairReport& report, std::int64_t message) {
    const std::string id = queue::QueueId{message}.to_text();
    return std::ranges::any_of(
        report.lines, [&](const std::string& line) { return line.find(id) != std::string::npos; });
}

/// A copy of the queue, to be damaged.
class Copy {
  public:
    explicit Copy(const Waiting& queue) : now_(queue.now) {
        std::filesystem::copy(queue.folder.path(), path(),
                              std::filesystem::copy_options::recursive);
    }
    std::filesystem::path path() const { return folder_.path(); }
    base::Result<std::optional<queue::RepairReport>> repair() const {
        return queue::repair(path(), now_);
    }
    /// As the daemon does.
    base::Result<void> open() const {
        ManualClock clock;
        clock.set(now_);
        SeededRandom random;
        const auto store = queue::open_queue(settings_in(folder_), a_test_router(), clock, random);
        if (!store) return store.error();
        return {};
    }

  private:
    Folder folder_;
    base::TimePoint now_;
};

/// Nothing waits that did not wait before, and what is there fits together.
void check_what_is_left(const Waiting& queue, const Copy& copy) {
    const auto waiting = recipients(queue.folder.path(), "IN (1, 2, 3)");
    const auto wrong = findings(copy.path());
    CHECK(wrong.empty());
    for (const auto& finding : wrong)
        UNSCOPED_INFO(finding.message.to_text() << " " << finding.text);
    for (const auto& recipient : recipients(copy.path(), "IN (1, 2, 3)"))
        CHECK(waiting.contains(recipient));
    const auto again = queue::repair(copy.path(), queue.now);
    REQUIRE(again);
    CHECK_FALSE(*again);
}

}  // namespace

TEST_CASE("a sound queue is not repaired") {
    const Waiting queue(20);
    const Copy copy(queue);
    const auto before = look(copy.path());
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    CHECK_FALSE(*repaired);
    CHECK(look(copy.path()) == before);
    CHECK(std::filesystem::exists(copy.path() / "queue.db"));
}

TEST_CASE("of a queue with one damaged page, all comes back but what was on it, which is named") {
    static const Waiting queue(100);
    static const auto before = look(queue.folder.path());
    const std::string how = GENERATE("zeroed", "garbage", "type", "cells");
    std::mt19937 chance(1);
    std::size_t repairs = 0;
    for (const auto& page : some_of_each(queue.pages)) {
        CAPTURE(how, page.tree, page.number, page.type, page.cells);
        const Copy copy(queue);
        // The header of the whole file is another matter.
        const std::size_t start = page.number == 1 ? 100 : 0;
        if (how == "zeroed") {
            overwrite(copy.path(), page.number, start, std::string(kPageSize - start, '\0'));
        } else if (how == "garbage") {
            std::string bytes(kPageSize - start, '\0');
            for (char& byte : bytes)
                byte = static_cast<char>(chance());
            overwrite(copy.path(), page.number, start, bytes);
        } else if (page.type == "overflow") {
            continue;
        } else if (how == "type") {
            flip(copy.path(), page.number, start, 0x40);
        } else {
            flip(copy.path(), page.number, start + 4, 0x03);
        }
        const auto repaired = copy.repair();
        INFO((repaired ? "" : repaired.error().text));
        REQUIRE(repaired);
        // SQLite does not look at what an overflow page holds, and nobody can but its reader.
        if (page.type == "overflow" && !*repaired) continue;
        REQUIRE(*repaired);
        ++repairs;
        const queue::RepairReport& report = **repaired;
        for (const auto& line : report.lines)
            UNSCOPED_INFO(line);
        const auto after = look(copy.path());
        std::size_t changed = 0;
        for (const auto& [id, text] : before) {
            const auto found = after.find(id);
            if (found != after.end() && found->second == text) continue;
            ++changed;
            // Of what had ended, the history is lost, and nobody is told.
            const bool waited = text.find(" 0 ") != std::string::npos;
            if (waited) CHECK(names(report, id));
        }
        const bool in_rows = page.tree == "message" || page.tree == "content" ||
                             page.tree == "recipient" || page.tree == "transfer";
        // An inner page of a table with rowids has none of its rows, nor have those of indexes and
        // of the schema.
        const bool has_rows =
            in_rows && (page.type != "internal" || page.tree == "recipient") && how != "type";
        const auto most = static_cast<std::size_t>(page.type == "overflow" ? 1 : page.cells);
        CHECK(changed <= (has_rows ? most : 0));
        if (has_rows && how == "zeroed" && page.tree == "message") CHECK(changed == most);
        check_what_is_left(queue, copy);
        CHECK(std::filesystem::exists(report.kept));
    }
    CHECK(repairs > 20);
}

TEST_CASE(
    "whichever byte is wrong, nothing comes back that had ended, and one page's mail at most is "
    "hurt") {
    static const Waiting queue(60);
    static const auto before = look(queue.folder.path());
    std::mt19937 chance(2);
    for (int i = 0; i < 80; ++i) {
        const auto& page = queue.pages[chance() % queue.pages.size()];
        const std::size_t start = page.number == 1 ? 100 : 0;
        const std::size_t at = start + chance() % (kPageSize - start);
        const int bits = 1 << (chance() % 8);
        CAPTURE(i, page.tree, page.number, page.type, at, bits);
        const Copy copy(queue);
        flip(copy.path(), page.number, at, bits);
        const auto repaired = copy.repair();
        INFO((repaired ? "" : repaired.error().text));
        REQUIRE(repaired);
        if (!*repaired) continue;  // a letter of somebody's mail, or where nothing is
        for (const auto& line : (*repaired)->lines)
            UNSCOPED_INFO(line);
        const auto after = look(copy.path());
        std::size_t changed = 0;
        for (const auto& [id, text] : before) {
            const auto found = after.find(id);
            if (found == after.end() || found->second != text) ++changed;
        }
        CHECK(changed <= static_cast<std::size_t>(std::max<std::int64_t>(page.cells, 1)));
        check_what_is_left(queue, copy);
    }
}

TEST_CASE("what has lost its sender is kept as a file, and named with its recipients") {
    const Waiting queue(30);
    const auto before = look(queue.folder.path());
    const Copy copy(queue);
    for (const auto& page : queue.pages) {
        if (page.tree == "message" && page.type == "leaf")
            overwrite(copy.path(), page.number, 0, std::string(kPageSize, '\0'));
    }
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    REQUIRE(*repaired);
    const auto waiting = std::ranges::count_if(
        before, [](const auto& each) { return each.second.find(" 0 ") != std::string::npos; });
    CHECK((*repaired)->lost_messages == waiting);
    CHECK(look(copy.path()).empty());
    std::size_t large = 0;
    for (const auto& entry : std::filesystem::directory_iterator(copy.path() / "lost")) {
        if (entry.file_size() == kLarge.size()) ++large;
    }
    CHECK(large == 1);
    CHECK(std::ranges::any_of((*repaired)->lines, [](const std::string& line) {
        return line.find("<c2@c2.test>; its content is in lost/") != std::string::npos;
    }));
    CHECK(findings(copy.path()).empty());
}

TEST_CASE("a lost transfer may have been delivered: its mail is held") {
    const Waiting queue(30);
    const auto sent = [](const std::filesystem::path& directory) {
        SQLite::Database database(file_of(directory).string());
        return database
            .execAndGet("SELECT COUNT(*) FROM recipient WHERE transfer IS NOT NULL AND state < 5")
            .getInt();
    };
    REQUIRE(sent(queue.folder.path()) > 0);
    const Copy copy(queue);
    for (const auto& page : queue.pages) {
        if (page.tree == "transfer")
            overwrite(copy.path(), page.number, 0, std::string(kPageSize, '\0'));
    }
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    REQUIRE(*repaired);
    CHECK((*repaired)->quarantined == sent(queue.folder.path()));
    CHECK(recipients(copy.path(), "= 4").size() ==
          static_cast<std::size_t>(sent(queue.folder.path())));
    CHECK(findings(copy.path()).empty());
}

TEST_CASE("a lost verdict is named by its key") {
    const Waiting queue(60);
    const Copy copy(queue);
    for (const auto& page : queue.pages) {
        if (page.tree == "verdict")
            overwrite(copy.path(), page.number, 0, std::string(kPageSize, '\0'));
    }
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    REQUIRE(*repaired);
    CHECK((*repaired)->lost_verdicts == 12);
    CHECK(std::ranges::any_of((*repaired)->lines, [](const std::string& line) {
        return line.find("the verdict on transfer 018f00000004 of b.test is lost") !=
               std::string::npos;
    }));
}

TEST_CASE("a lost line of the peer book is made anew from its days, and named") {
    const Waiting queue(60);
    const Copy copy(queue);
    for (const auto& page : queue.pages) {
        if (page.tree == "standing")
            overwrite(copy.path(), page.number, 0, std::string(kPageSize, '\0'));
    }
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    REQUIRE(*repaired);
    CHECK(std::ranges::any_of((*repaired)->lines, [](const std::string& line) {
        return line.find("peer book's line for b.test was lost") != std::string::npos;
    }));
    SQLite::Database database(file_of(copy.path()).string());
    CHECK(database
              .execAndGet("SELECT domain || ' ' || days || ' ' || organisation || ' ' || by_hand"
                          " FROM standing")
              .getString() == "b.test 1 b.test 0");
    CHECK(database.execAndGet("SELECT messages FROM standing_day").getInt() == 12);
    CHECK(findings(copy.path()).empty());
}

TEST_CASE("figures of the peer book that can't be are not counted on") {
    const Waiting queue(60);
    const Copy copy(queue);
    {
        SQLite::Database database(file_of(copy.path()).string(), SQLite::OPEN_READWRITE);
        database.exec("UPDATE standing_day SET messages = 9223372036854775807");
        database.exec("UPDATE standing SET since = -5, last_day = 9223372036854775807");
    }
    CHECK_FALSE(findings(copy.path()).empty());
    REQUIRE(queue::note_damage(copy.path()));
    REQUIRE(copy.repair());
    CHECK(findings(copy.path()).empty());
    SQLite::Database database(file_of(copy.path()).string());
    CHECK(database.execAndGet("SELECT COUNT(*) FROM standing_day").getInt() == 0);
    CHECK(database.execAndGet("SELECT last_day FROM standing").getInt() == 0);
}

TEST_CASE("a file that is cut off gives back what it has") {
    const Waiting queue(150);
    const Copy copy(queue);
    const auto size = std::filesystem::file_size(file_of(copy.path()));
    std::filesystem::resize_file(file_of(copy.path()), size * 2 / 3 / kPageSize * kPageSize + 100);
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    REQUIRE(*repaired);
    CHECK_FALSE(look(copy.path()).empty());
    check_what_is_left(queue, copy);
}

TEST_CASE("what is no database of a queue is left as it is") {
    const Waiting queue(10);
    const Copy copy(queue);
    overwrite(copy.path(), 1, 0, std::string(16, 'x'));
    std::ifstream in(file_of(copy.path()), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    const auto repaired = copy.repair();
    REQUIRE_FALSE(repaired);
    CHECK(repaired.error().text.find("queue.db") != std::string::npos);
    std::ifstream again(file_of(copy.path()), std::ios::binary);
    CHECK(bytes == std::string{std::istreambuf_iterator<char>(again), {}});
    CHECK_FALSE(copy.open());
    CHECK(std::filesystem::exists(file_of(copy.path())));
}

TEST_CASE("the disk is not filled with damaged databases") {
    const Waiting queue(10);
    const Copy copy(queue);
    for (const char* const name : {"1", "2", "3"})
        std::ofstream(copy.path() / (std::string("queue.db.damaged-") + name)) << "x";
    overwrite(copy.path(), 2, 0, std::string(kPageSize, '\0'));
    const auto refused = copy.repair();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find("there are 3 damaged databases") != std::string::npos);
    std::filesystem::remove(copy.path() / "queue.db.damaged-1");
    CHECK(copy.repair());
}

TEST_CASE("a start repairs what it can't open, once, and a second one in a short while refuses") {
    const Waiting queue(60);
    const Copy copy(queue);
    const auto leaf = std::ranges::find_if(queue.pages, [](const Waiting::Page& page) {
        return page.tree == "recipient_due" && page.type == "leaf";
    });
    REQUIRE(leaf != queue.pages.end());
    const auto schema = std::ranges::find_if(queue.pages, [](const Waiting::Page& page) {
        return page.tree == "sqlite_schema" && page.type == "leaf";
    });
    REQUIRE(schema != queue.pages.end());
    const auto before = look(copy.path());
    SECTION("its schema is damaged") {
        overwrite(copy.path(), schema->number, 0, std::string(kPageSize, '\0'));
    }
    SECTION("the run before met it") {
        overwrite(copy.path(), leaf->number, 0, std::string(kPageSize, '\0'));
        REQUIRE(queue::note_damage(copy.path()));
    }
    REQUIRE(copy.open());
    CHECK_FALSE(queue::is_damage_noted(copy.path()));
    CHECK(look(copy.path()) == before);
    REQUIRE(queue::note_damage(copy.path()));
    const auto refused = copy.open();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text.find("queue verify --repair") != std::string::npos);
    CHECK(copy.repair());
    CHECK(copy.open());
}

TEST_CASE("what an interrupted repair left is no obstacle") {
    const Waiting queue(10);
    const Copy copy(queue);
    std::ofstream(copy.path() / "queue.db.part") << "half of something";
    overwrite(copy.path(), 2, 0, std::string(kPageSize, '\0'));
    const auto repaired = copy.repair();
    REQUIRE(repaired);
    CHECK(*repaired);
    CHECK_FALSE(std::filesystem::exists(copy.path() / "queue.db.part"));
}

TEST_CASE("damage is told from what has other reasons") {
    const auto [code, text, damage] = GENERATE(table<int, const char*, bool>({
        {SQLITE_CORRUPT, "malformed", true},
        {SQLITE_ERROR, "no such column: messaga", true},
        {SQLITE_ERROR, "a bug", false},
        {SQLITE_FULL, "full", false},
        {SQLITE_BUSY, "locked", false},
        {SQLITE_IOERR, "a write failed", false},
    }));
    CAPTURE(text);
    CHECK(queue::is_damage(SQLite::Exception(text, code)) == damage);
}

TEST_CASE("a promise that can't be is dropped, and has to be read again") {
    const Waiting queue(60);
    const Copy copy(queue);
    {
        SQLite::Database database(file_of(copy.path()).string(), SQLite::OPEN_READWRITE);
        database.exec(
            "INSERT INTO promise VALUES"
            " ('good.test', 'mail.good.test', 1000, 2000, 3000, 1, 'mail.a.test'),"
            " ('long.test', 'mail.long.test', 1000, 2000, 9223372036854775807, 1, ''),"
            " ('odd.test', 'mail.odd.test', 1000, 2000, 3000, 7, '')");
    }
    // Beside what is under way, as nobody delivers it any more.
    CHECK(std::ranges::count_if(findings(copy.path()), [](const queue::Finding& finding) {
              return finding.text.starts_with("a peer's promise can't be");
          }) == 2);
    REQUIRE(queue::note_damage(copy.path()));
    REQUIRE(copy.repair());
    CHECK(findings(copy.path()).empty());
    SQLite::Database database(file_of(copy.path()).string());
    CHECK(database.execAndGet("SELECT group_concat(domain) FROM promise").getString() ==
          "good.test");
}
