#include "queue/sqlite/admin/backup.hpp"

#include "queue/content.hpp"
#include "queue/disk/directory_lock.hpp"
#include "queue/disk/synced.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/store/database_copy.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace queue {
namespace {

constexpr std::size_t kPiece = 1u << 20;  // bytes of a content that are copied at a time

base::Error sqlite_error(SQLite::Database& database) {
    return base::fail(base::Errc::io, std::string("the copy: ") + database.getErrorMsg());
}

/// Puts the content that is in a file into the copy. The file's errors (is_unreadable), or
/// Errc::io for those of the copy.
base::Result<void> take_in(SQLite::Database& copy, QueueId id, const ContentFile& content) {
    {
        SQLite::Statement room(copy, "UPDATE content SET bytes = zeroblob(?2) WHERE message = ?1");
        room.bind(1, id.value);
        room.bind(2, static_cast<std::int64_t>(content.size()));
        room.exec();
    }
    sqlite3_blob* opened = nullptr;
    if (sqlite3_blob_open(copy.getHandle(), "main", "content", "bytes", id.value, 1, &opened) !=
        SQLITE_OK)
        return sqlite_error(copy);
    const std::unique_ptr<sqlite3_blob, int (*)(sqlite3_blob*)> blob(opened, sqlite3_blob_close);
    for (std::size_t at = 0; at < content.size(); at += kPiece) {
        const auto piece = content.read(at, kPiece);
        if (!piece) return piece.error();
        if (sqlite3_blob_write(blob.get(), piece->data(), static_cast<int>(piece->size()),
                               static_cast<int>(at)) != SQLITE_OK)
            return sqlite_error(copy);
    }
    return {};
}

struct FileRow {
    QueueId id;
    std::size_t size = 0;
};

std::vector<FileRow> rows_with_files(SQLite::Database& copy) {
    std::vector<FileRow> rows;
    SQLite::Statement find(copy,
                           "SELECT c.message, m.size FROM content c JOIN message m ON m.id = "
                           "c.message WHERE c.bytes IS NULL");
    while (find.executeStep())
        rows.push_back({QueueId{find.getColumn(0).getInt64()},
                        static_cast<std::size_t>(find.getColumn(1).getInt64())});
    return rows;
}

base::Result<void> complete(SQLite::Database& copy, const ContentFiles& contents,
                            BackupFacts& facts) {
    SQLite::Transaction transaction(copy);
    for (const FileRow& row : rows_with_files(copy)) {
        const auto content = contents.file(row.id, row.size);
        auto taken =
            content ? take_in(copy, row.id, **content) : base::Result<void>(content.error());
        if (taken) continue;
        if (!is_unreadable(taken.error()))
            return base::fail(base::Errc::storage, taken.error().text);
        // The restored queue will find it damaged, too; the others are no worse for it.
        ++facts.missing;
        SQLite::Statement none(copy, "UPDATE content SET bytes = NULL WHERE message = ?1");
        none.bind(1, row.id.value);
        none.exec();
    }
    copy.exec("DELETE FROM partial");
    copy.exec("UPDATE recipient SET state = 1 WHERE state = 2");
    facts.messages = copy.execAndGet("SELECT COUNT(*) FROM content").getInt64();
    transaction.commit();
    return {};
}

/// There is nothing at `file`, not even a link that leads nowhere.
base::Result<void> check_free(const std::filesystem::path& file) {
    std::error_code error;
    const auto there = std::filesystem::symlink_status(file, error);
    if (there.type() == std::filesystem::file_type::not_found) return {};
    if (error) return base::fail(base::Errc::storage, file.string() + ": " + error.message());
    return base::fail(base::Errc::conflict, file.string() + ": this file exists already");
}

/// There is nothing in it that a restore would take away.
base::Result<void> check_empty(const std::filesystem::path& file) {
    if (!std::filesystem::exists(file)) return {};
    try {
        SQLite::Database queue(file.string(), SQLite::OPEN_READWRITE);
        for (const char* const table : {"message", "verdict", "partial"}) {
            if (!queue.tableExists(table)) continue;
            const std::string count = std::string("SELECT COUNT(*) FROM ") + table;
            if (queue.execAndGet(count).getInt64() > 0)
                return base::fail(
                    base::Errc::conflict,
                    file.string() + ": there is a queue already, and it is not empty");
        }
        return {};
    } catch (const SQLite::Exception& error) {
        return base::fail(base::Errc::conflict,
                          file.string() + ": there is a file already, and " + error.what());
    }
}

base::Error damaged(const std::filesystem::path& file, const std::string& what) {
    return base::fail(base::Errc::damaged, file.string() + ": " + what);
}

/// Is `file` a queue at all?
base::Result<void> look_at_backup(const std::filesystem::path& file) {
    auto database = Database::open_for_reading(file);
    if (!database) return base::fail(base::Errc::damaged, database.error().text);
    try {
        if (!(*database)->is_queue()) return damaged(file, "this is no backup of a queue");
        return {};
    } catch (const SQLite::Exception& error) {
        return damaged(file, error.what());
    }
}

/// Brings `copy`, a copy of the backup `file`, to the version of this program, and looks whether it
/// is sound.
base::Result<BackupFacts> make_usable(const std::filesystem::path& copy,
                                      const std::filesystem::path& file) {
    auto database = Database::open_copy(copy);
    if (!database)
        return base::fail(base::Errc::damaged,
                          "the backup " + file.string() + ": " + database.error().text);
    try {
        const auto findings = verify(**database, VerifyFiles());
        if (!findings.empty())
            return damaged(file, "the backup is damaged: " + findings.front().text);
        BackupFacts facts;
        Query count = (*database)->query("SELECT COUNT(*) FROM content"_sql);
        count.step();
        facts.messages = count.integer(0);
        facts.bytes = std::filesystem::file_size(file);
        return facts;
    } catch (const SQLite::Exception& error) {
        return damaged(file, error.what());
    }
}

/// As the directory's: root may restore what the daemon's account is to use.
void give_to_owner_of(const std::filesystem::path& directory, const std::filesystem::path& file) {
    struct stat facts {};
    if (::stat(directory.c_str(), &facts) == 0)
        (void)!::chown(file.c_str(), facts.st_uid, facts.st_gid);
}

}  // namespace

base::Result<BackupFacts> write_backup(Database& database, const ContentFiles& contents,
                                       const std::filesystem::path& file) {
    if (auto free = check_free(file); !free) return free.error();
    BackupFacts facts;
    auto written = copy_database(database.connection(), file, [&](SQLite::Database& copy) {
        return complete(copy, contents, facts);
    });
    if (!written) return written.error();
    std::error_code error;
    facts.bytes = std::filesystem::file_size(file, error);
    if (error)
        return base::fail(base::Errc::storage,
                          file.string() + ": was written, and is gone: " + error.message());
    return facts;
}

base::Result<BackupFacts> restore_backup(const std::filesystem::path& file,
                                         const std::filesystem::path& directory) {
    try {
        if (!std::filesystem::exists(file))
            return base::fail(base::Errc::not_found, file.string() + ": there is no such file");
        if (auto made = make_folder(directory); !made) return made.error();
        const auto lock = DirectoryLock::take(directory);
        if (!lock) return base::fail(base::Errc::conflict, lock.error().text);
        const auto target = directory / "queue.db";
        if (auto empty = check_empty(target); !empty) return empty.error();
        if (auto good = look_at_backup(file); !good) return good.error();
        const std::filesystem::path part = target.string() + ".part";
        std::filesystem::copy_file(file, part, std::filesystem::copy_options::overwrite_existing);
        std::filesystem::permissions(
            part, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        auto facts = make_usable(part, file);
        if (!facts) {
            std::filesystem::remove(part);
            return facts;
        }
        give_to_owner_of(directory, part);
        give_to_owner_of(directory, directory / "lock");
        for (const char* const rest : {"-wal", "-shm", "-journal"})
            std::filesystem::remove(target.string() + rest);
        if (auto placed = put_into_place(part, target); !placed) return placed.error();
        return facts;
    } catch (const std::filesystem::filesystem_error& error) {
        return base::fail(base::Errc::storage, error.what());
    }
}

}  // namespace queue
