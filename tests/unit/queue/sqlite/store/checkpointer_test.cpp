#include "queue/sqlite/store/checkpointer.hpp"

#include "support/queue/fixture.hpp"
#include "support/run_until.hpp"

#include <catch2/catch.hpp>

using namespace support;

namespace {

/// Bytes of the write-ahead log.
std::uintmax_t log_size(const Folder& folder) {
    return std::filesystem::file_size(folder.path() / "queue.db-wal");
}

constexpr std::uintmax_t kPageBytes = 4096;

struct Written {
    explicit Written(const Folder& folder) : file(folder.path() / "queue.db") {
        auto opened = queue::Database::open(file);
        REQUIRE(opened);
        database = std::move(*opened);
        database->execute("CREATE TABLE filling (id INTEGER PRIMARY KEY, bytes BLOB)"_sql);
    }
    /// A commit of about `pages` pages.
    void commit(int pages) {
        database->execute("BEGIN IMMEDIATE"_sql);
        auto add = database->query("INSERT INTO filling (bytes) VALUES (zeroblob(?1))"_sql);
        add.bind(pages * static_cast<int>(kPageBytes)).run();
        database->execute("COMMIT"_sql);
        rows += 1;
    }
    /// What the file holds, without the log.
    std::uintmax_t in_file() const { return std::filesystem::file_size(file); }

    std::filesystem::path file;
    std::unique_ptr<queue::Database> database;
    int rows = 0;
};

}  // namespace

TEST_CASE("the log is brought over beside the commits, and begins anew") {
    const Folder folder;
    Written queue(folder);
    boost::asio::io_context io;
    queue::Checkpointer checkpointer(*queue.database);
    const auto before = queue.in_file();
    // The commit that makes the log too long does not bring it over ...
    queue.commit(queue::kCheckpointPages + 100);
    const auto full = log_size(folder);
    CHECK(full > queue::kCheckpointPages * kPageBytes);
    run_until(io, [&] { return queue.in_file() > before + queue::kCheckpointPages * kPageBytes; });
    // ... and after the next ones, which may come while that goes on, the log is written from its
    // start: it grows no more.
    run_until(io, [&] {
        const auto size = log_size(folder);
        queue.commit(1);
        return log_size(folder) == size;
    });
    const auto size = log_size(folder);
    for (int i = 0; i < 1000; ++i)
        queue.commit(1);
    CHECK(log_size(folder) == size);
    auto count = queue.database->query("SELECT COUNT(*) FROM filling"_sql);
    REQUIRE(count.step());
    CHECK(count.integer(0) == queue.rows);
}

TEST_CASE("who reads an old snapshot has the log grow, and nothing is lost") {
    const Folder folder;
    Written queue(folder);
    queue::Checkpointer checkpointer(*queue.database);
    queue.commit(1);
    auto reader = queue::Database::open_for_reading(queue.file);
    REQUIRE(reader);
    (*reader)->execute("BEGIN"_sql);
    {
        auto look = (*reader)->query("SELECT COUNT(*) FROM filling"_sql);
        REQUIRE(look.step());
    }
    for (int i = 0; i < 12; ++i)
        queue.commit(1000);
    CHECK(log_size(folder) > 12000 * kPageBytes);
    auto old = (*reader)->query("SELECT COUNT(*) FROM filling"_sql);
    REQUIRE(old.step());
    CHECK(old.integer(0) == 1);
    auto now = queue.database->query("SELECT COUNT(*) FROM filling"_sql);
    REQUIRE(now.step());
    CHECK(now.integer(0) == queue.rows);
}
