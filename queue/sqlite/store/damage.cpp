#include "queue/sqlite/store/damage.hpp"

#include "queue/disk/synced.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace queue {
namespace {

std::filesystem::path note_in(const std::filesystem::path& directory) {
    return directory / "queue.db.suspect";
}

}  // namespace

bool is_damage(const SQLite::Exception& error) {
    const int code = error.getExtendedErrorCode();
    // A name in the schema that has lost a letter.
    const bool is_unknown = error.getErrorCode() == SQLITE_ERROR &&
                            std::string_view(error.what()).starts_with("no such ");
    return (code & 0xff) == SQLITE_CORRUPT || error.getErrorCode() == SQLITE_CORRUPT ||
           code == SQLITE_IOERR_READ || code == SQLITE_IOERR_SHORT_READ || is_unknown;
}

bool may_be_damage(const SQLite::Exception& error) {
    return is_damage(error) || error.getErrorCode() == SQLITE_ERROR;
}

base::Result<void> note_damage(const std::filesystem::path& directory) {
    const auto path = note_in(directory);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return base::fail(base::Errc::storage,
                          path.string() + ": can't create: " + std::strerror(errno));
    ::close(fd);
    return sync_folder(directory);
}

bool is_damage_noted(const std::filesystem::path& directory) {
    std::error_code error;
    return std::filesystem::exists(note_in(directory), error);
}

void forget_damage(const std::filesystem::path& directory) {
    std::error_code ignored;
    std::filesystem::remove(note_in(directory), ignored);
    (void)sync_folder(directory);
}

}  // namespace queue
