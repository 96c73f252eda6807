#include "queue/database.hpp"

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

Database::Database(const std::filesystem::path& file)
    : connection_(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    // FULL: a commit is on the disk when it returns. The checkpoint policy is explicit: about 16 MB
    // of log between checkpoints keeps the log short and the commits of a burst free of
    // checkpoints.
    connection_.exec("PRAGMA journal_mode = WAL");
    connection_.exec("PRAGMA synchronous = FULL");
    connection_.exec("PRAGMA wal_autocheckpoint = 4000");
    connection_.exec("PRAGMA journal_size_limit = 67108864");
    connection_.exec("PRAGMA cache_size = -8192");
    connection_.exec("PRAGMA temp_store = MEMORY");
}

base::Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& file) {
    try {
        std::unique_ptr<Database> database(new Database(file));
        if (auto migrated = database->migrate(); !migrated)
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

base::Result<void> Database::migrate() {
    const int version = connection_.execAndGet("PRAGMA user_version").getInt();
    if (version > kVersion) {
        return base::fail(base::Errc::storage, "the database is of version " +
                                                   std::to_string(version) +
                                                   ", and this program knows versions up to " +
                                                   std::to_string(kVersion));
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
