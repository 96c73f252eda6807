#include "queue/sqlite/store/database.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/database_copy.hpp"
#include "queue/sqlite/store/sql_functions.hpp"

#include <algorithm>
#include <array>

#include <sqlite3.h>

namespace queue {
namespace {

// schema/migrations/NNN-*.sql in order; entry i brings a database to version i + 1.
constexpr const char* kMigrations[] = {
#include "queue/migrations.inc"
};
constexpr int kVersion = std::size(kMigrations);
// Milliseconds for which another program may write (an administrator's sqlite3, say) before mail
// has to be tried again. Far less than what an SMTP client waits for (RFC 5321 4.5.3.2.6).
constexpr int kOthersWrite = 10'000;

/// What SQLite says of it, and that it is damaged if it is.
base::Error failure(const std::filesystem::path& file, const SQLite::Exception& error) {
    const int code = error.getErrorCode();
    std::string why = error.what();
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) why += " (the queue database is damaged)";
    return base::fail(may_be_damage(error) ? base::Errc::damaged : base::Errc::storage,
                      file.string() + ": " + why);
}

base::Error in_file(const std::filesystem::path& file, const base::Error& error) {
    return base::fail(error.code, file.string() + ": " + error.text);
}

}  // namespace

Database::Database(const std::filesystem::path& file, int flags)
    : connection_(file.string(), flags, kOthersWrite) {
    add_functions(connection_);
    connection_.exec("PRAGMA temp_store = MEMORY");
    connection_.exec("PRAGMA cache_size = -8192");
}

base::Result<void> Database::set_up() {
    // FULL: a commit is on the disk when it returns.
    const std::string mode = connection_.execAndGet("PRAGMA journal_mode = WAL").getString();
    // SQLite goes on without it where there is no shared memory (some network file systems).
    if (mode != "wal")
        return base::fail(base::Errc::storage,
                          "the file system can't do write-ahead logging, which "
                          "the queue needs (it is on a network, perhaps)");
    connection_.exec("PRAGMA synchronous = FULL");
    sqlite3_wal_autocheckpoint(connection_.getHandle(), kCheckpointPages);
    connection_.exec("PRAGMA journal_size_limit = 67108864");
    return {};
}

base::Result<std::unique_ptr<Database>> Database::open_for_reading(
    const std::filesystem::path& file) {
    try {
        return std::unique_ptr<Database>(
            new Database(file, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX));
    } catch (const SQLite::Exception& error) {
        return base::fail(base::Errc::storage, file.string() + ": " + error.what());
    }
}

base::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
    try {
        std::unique_ptr<Database> database(new Database(
            file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX));
        const auto version = database->check_version();
        if (!version) return in_file(file, version.error());
        if (auto ready = database->set_up(); !ready) return in_file(file, ready.error());
        if (auto copied = database->copy_before(file, *version); !copied)
            return in_file(file, copied.error());
        database->migrate(*version, kVersion);
        return database;
    } catch (const SQLite::Exception& error) {
        return failure(file, error);
    }
}

std::unique_ptr<Database> Database::make(const std::filesystem::path& file, int version) {
    std::unique_ptr<Database> database(
        new Database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX));
    database->migrate(0, std::min(version, kVersion));
    return database;
}

int Database::newest_version() {
    return kVersion;
}

base::Result<std::unique_ptr<Database>> Database::open_copy(const std::filesystem::path& file) {
    try {
        std::unique_ptr<Database> database(
            new Database(file, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX));
        const auto version = database->check_version();
        if (!version) return in_file(file, version.error());
        if (*version > 0) database->migrate(*version, kVersion);
        return database;
    } catch (const SQLite::Exception& error) {
        return failure(file, error);
    }
}

bool Database::is_queue() {
    const int version = connection_.execAndGet("PRAGMA user_version").getInt();
    return version > 0 && version <= kVersion && connection_.tableExists("message") &&
           connection_.tableExists("recipient");
}

base::Result<int> Database::check_version() {
    const int version = connection_.execAndGet("PRAGMA user_version").getInt();
    if (version > kVersion) {
        return base::fail(base::Errc::storage, "the database is of version " +
                                                   std::to_string(version) +
                                                   ", and this program knows versions up to " +
                                                   std::to_string(kVersion));
    }
    const bool has_tables =
        connection_.execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt() > 0;
    // A new one has neither.
    if ((version > 0) != has_tables)
        return base::fail(base::Errc::storage, "this is a database, and not that of a queue");
    return version;
}

base::Result<void> Database::copy_before(const std::filesystem::path& file, int version) {
    if (version == 0 || version == kVersion) return {};
    const std::filesystem::path copy = file.string() + ".v" + std::to_string(version);
    if (auto copied = copy_database(connection_, copy, {}); !copied)
        return base::fail(copied.error().code,
                          "no copy before the migration: " + copied.error().text);
    log::migrating(file.string(), version, kVersion, copy.string());
    return {};
}

void Database::migrate(int from, int to) {
    for (int next = from + 1; next <= to; ++next) {
        SQLite::Transaction transaction(connection_, SQLite::TransactionBehavior::IMMEDIATE);
        connection_.exec(kMigrations[next - 1]);
        connection_.exec("PRAGMA user_version = " + std::to_string(next));
        transaction.commit();
    }
}

Query Database::query(Sql sql) {
    auto& statement = statements_[sql.text()];
    if (!statement) statement = std::make_unique<SQLite::Statement>(connection_, sql.text());
    return Query(*statement);
}

void Database::execute(Sql sql) {
    query(sql).run();
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(connection_.getHandle()) == 0;
}

}  // namespace queue
