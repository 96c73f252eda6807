#include "queue/sqlite/admin/offline.hpp"

#include "queue/disk/content_files.hpp"
#include "queue/disk/directory_lock.hpp"
#include "queue/sqlite/admin/backup.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/database.hpp"

namespace queue {
namespace {

/// Runs `work(database)` in a transaction that reads.
template <class Work>
auto alone(const std::filesystem::path& directory, const Work& work)
    -> decltype(work(std::declval<Database&>())) {
    const auto file = directory / "queue.db";
    if (!std::filesystem::exists(file))
        return base::fail(base::Errc::not_found, directory.string() + ": there is no queue");
    const auto lock = DirectoryLock::take(directory);
    if (!lock) return lock.error();
    auto database = Database::open_for_reading(file);
    if (!database) return database.error();
    try {
        if (!(*database)->is_queue())
            return base::fail(base::Errc::storage,
                              file.string() + ": not a queue of a version that this program knows");
        (*database)->execute("BEGIN"_sql);
        return work(**database);
    } catch (const SQLite::Exception& error) {
        return base::fail(may_be_damage(error) ? base::Errc::damaged : base::Errc::storage,
                          file.string() + ": " + error.what());
    } catch (const std::exception& error) {
        return base::fail(base::Errc::storage, file.string() + ": " + error.what());
    }
}

}  // namespace

base::Result<std::vector<Finding>> verify_offline(const std::filesystem::path& directory) {
    return alone(directory, [&](Database& database) -> base::Result<std::vector<Finding>> {
        const auto contents = ContentFiles::existing(directory / "content");
        const auto spool = ContentFiles::existing(directory / "spool");
        return verify(database, {&contents, &spool, false});
    });
}

base::Result<BackupFacts> back_up_offline(const std::filesystem::path& directory,
                                          const std::filesystem::path& file) {
    return alone(directory, [&](Database& database) {
        return write_backup(database, ContentFiles::existing(directory / "content"), file);
    });
}

}  // namespace queue
