// Database: the one SQLite connection of a store, with its migrations and a cache of its
// statements.
//
// Owned by the Store and used on the storage thread only (and at start, before that thread is).
// Failures of SQLite come as SQLite::Exception: SqliteLedger turns them into errors at one place.
//
// Tested by tests/unit/queue/sqlite/recovery/opening_test.cpp and
// tests/unit/queue/sqlite/sqlite_ledger_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/sqlite/store/sql.hpp"

#include <filesystem>
#include <memory>
#include <string_view>
#include <unordered_map>

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

/// A cached statement that is reset and cleared of its bindings when its use ends.
class Query {
  public:
    explicit Query(SQLite::Statement& statement) : statement_(&statement) {}
    ~Query() {
        statement_->tryReset();
        statement_->clearBindings();
    }
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    SQLite::Statement* operator->() { return statement_; }

    /// Binds the parameters ?1, ?2, ... in order.
    template <class... Values>
    Query& bind(const Values&... values) {
        int index = 0;
        (statement_->bind(++index, values), ...);
        return *this;
    }
    bool step() { return statement_->executeStep(); }
    void run() { statement_->exec(); }
    std::int64_t integer(int column) const { return statement_->getColumn(column).getInt64(); }
    std::string text(int column) const { return statement_->getColumn(column).getString(); }
    bool is_null(int column) const { return statement_->getColumn(column).isNull(); }

  private:
    SQLite::Statement* statement_;
};

/// Pages of the write-ahead log at which a checkpoint is due, about 16 MB: the log stays short, and
/// the commits of a burst free of checkpoints.
inline constexpr int kCheckpointPages = 4000;

class Database {
  public:
    /// Opens or creates `file` and migrates it; before that, a copy of an older version goes to
    /// `file`.vN, where N is that version. Errc::storage with the file's name for what can't
    /// be opened, is no database, or is of a newer version than this program; Errc::damaged for
    /// what is damaged, so that queue/sqlite/recovery/repair may help.
    static base::Result<std::unique_ptr<Database>> open(const std::filesystem::path& file);

    /// Makes a new one, of one file, with the empty tables of `version`: of that which is to be
    /// repaired. Throws SQLite::Exception.
    static std::unique_ptr<Database> make(const std::filesystem::path& file, int version);
    /// That of this program, which is the highest.
    static int newest_version();

    /// Opens a copy that nobody else uses (a backup's), and migrates it as it is: one file before
    /// and after. Errc::storage as above.
    static base::Result<std::unique_ptr<Database>> open_copy(const std::filesystem::path& file);

    /// Opens `file`, which is there and up to date, to look at. Errc::storage.
    static base::Result<std::unique_ptr<Database>> open_for_reading(
        const std::filesystem::path& file);

    /// Its address is the key of the cache.
    Query query(Sql sql);
    void execute(Sql sql);
    /// False after SQLite has rolled a transaction back by itself (disk full, I/O error).
    bool in_transaction() const;
    std::int64_t last_rowid() const { return connection_.getLastInsertRowid(); }
    /// Of one statement.
    int changes() const { return connection_.getChanges(); }
    /// It has a version that this program knows, and the tables of a queue.
    bool is_queue();
    /// For copies of the whole.
    SQLite::Database& connection() { return connection_; }

  private:
    Database(const std::filesystem::path& file, int flags);
    /// Whether it may be written to at all: nothing is changed before.
    base::Result<int> check_version();
    base::Result<void> set_up();
    /// Of an older version.
    base::Result<void> copy_before(const std::filesystem::path& file, int version);
    void migrate(int from, int to);

    SQLite::Database connection_;
    std::unordered_map<const char*, std::unique_ptr<SQLite::Statement>> statements_;
};

}  // namespace queue
