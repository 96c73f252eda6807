#include "queue/database.hpp"

#include "queue/database_copy.hpp"
#include "queue/log.hpp"
#include "queue/sql_functions.hpp"

#include <array>

#include <sqlite3.h>

namespace queue {
namespace {

// schema/migrations/NNN-*.sql in order; entry i brings a database to version i + 1.
constexpr const char* kMigrations[] = {
#include "queue/migrations.inc"
};
constexpr int kVersion = std::size(kMigrations);

}  // namespace

Database::Database(const std::filesystem::path& file, int flags)
    : connection_(file.string(), flags) {
    add_functions(connection_);
    connection_.exec("PRAGMA temp_store = MEMORY");
    connection_.exec("PRAGMA cache_size = -8192");
}

void Database::set_up() {
    // FULL: a commit is on the disk when it returns. The checkpoint policy is explicit: about 16 MB
    // of log between checkpoints keeps the log short and the commits of a burst free of
    // checkpoints.
    connection_.exec("PRAGMA journal_mode = WAL");
    connection_.exec("PRAGMA synchronous = FULL");
    connection_.exec("PRAGMA wal_autocheckpoint = 4000");
    connection_.exec("PRAGMA journal_size_limit = 67108864");
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
        if (!version)
            return base::fail(version.error().code, file.string() + ": " + version.error().text);
        database->set_up();
        if (auto migrated = database->migrate(file, *version); !migrated)
            return base::fail(migrated.error().code, file.string() + ": " + migrated.error().text);
        return database;
    } catch (const SQLite::Exception& error) {
        const int code = error.getErrorCode();
        std::string why = error.what();
        if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
            why += " (the queue database is damaged)";
        return base::fail(base::Errc::storage, file.string() + ": " + why);
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

base::Result<void> Database::migrate(const std::filesystem::path& file, int version) {
    if (version > 0 && version < kVersion) {
        const std::filesystem::path copy = file.string() + ".v" + std::to_string(version);
        if (auto copied = copy_database(connection_, copy, {}); !copied)
            return base::fail(copied.error().code,
                              "no copy before the migration: " + copied.error().text);
        log::migrating(file.string(), version, kVersion, copy.string());
    }
    for (int next = version + 1; next <= kVersion; ++next) {
        SQLite::Transaction transaction(connection_, SQLite::TransactionBehavior::IMMEDIATE);
        connection_.exec(kMigrations[next - 1]);
        connection_.exec("PRAGMA user_version = " + std::to_string(next));
        transaction.commit();
    }
    return {};
}

Query Database::query(const char* sql) {
    auto& statement = statements_[sql];
    if (!statement) statement = std::make_unique<SQLite::Statement>(connection_, sql);
    return Query(*statement);
}

void Database::execute(const char* sql) {
    query(sql).run();
}

bool Database::in_transaction() const {
    return sqlite3_get_autocommit(connection_.getHandle()) == 0;
}

}  // namespace queue
