#include "queue/sqlite/store/database_copy.hpp"

#include "queue/disk/synced.hpp"

#include <cerrno>
#include <cstring>

#include <SQLiteCpp/Backup.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace queue {
namespace {

base::Error failed(const std::filesystem::path& path, const char* what) {
    return base::fail(base::Errc::storage,
                      path.string() + ": can't " + what + ": " + std::strerror(errno));
}

base::Result<void> check_room(SQLite::Database& from, const std::filesystem::path& folder) {
    const std::int64_t pages = from.execAndGet("PRAGMA page_count").getInt64();
    const std::int64_t size = from.execAndGet("PRAGMA page_size").getInt64();
    struct statvfs facts {};
    if (::statvfs(folder.c_str(), &facts) != 0) return failed(folder, "look at the disk");
    const std::uintmax_t free = std::uintmax_t{facts.f_bavail} * facts.f_frsize;
    if (free >= static_cast<std::uintmax_t>(pages * size)) return {};
    return base::fail(base::Errc::storage, folder.string() + ": there is no room for a copy of " +
                                               std::to_string(pages * size) + " bytes");
}

base::Result<void> write_copy(SQLite::Database& from, const std::filesystem::path& part,
                              const std::function<base::Result<void>(SQLite::Database&)>& finish) {
    {
        // Made here, so that it has its mode before there is anything in it.
        const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) return failed(part, "create");
        ::close(fd);
    }
    try {
        SQLite::Database copy(part.string(), SQLite::OPEN_READWRITE);
        {
            SQLite::Backup backup(copy, from);
            if (backup.executeStep(-1) != SQLITE_DONE)
                return base::fail(base::Errc::storage,
                                  part.string() + ": the copy is not complete");
        }
        // One file: a database in WAL mode would be two.
        copy.exec("PRAGMA journal_mode = DELETE");
        copy.exec("PRAGMA synchronous = FULL");
        if (finish) return finish(copy);
        return {};
    } catch (const SQLite::Exception& error) {
        return base::fail(base::Errc::storage, part.string() + ": " + error.what());
    }
}

}  // namespace

base::Result<void> copy_database(
    SQLite::Database& from, const std::filesystem::path& to,
    const std::function<base::Result<void>(SQLite::Database&)>& finish) {
    const auto folder = to.has_parent_path() ? to.parent_path() : std::filesystem::path(".");
    if (auto room = check_room(from, folder); !room) return room;
    const std::filesystem::path part = to.string() + ".part";
    std::error_code ignored;
    // What an earlier attempt left when its process died.
    std::filesystem::remove(part, ignored);
    auto done = write_copy(from, part, finish);
    if (done) done = put_into_place(part, to);
    if (!done) {
        std::filesystem::remove(part, ignored);
        std::filesystem::remove(part.string() + "-journal", ignored);
    }
    return done;
}

}  // namespace queue
