#include "queue/disk/synced.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace queue {
namespace {

base::Error failed(const std::filesystem::path& path, const char* what) {
    return base::fail(base::Errc::storage,
                      path.string() + ": can't " + what + ": " + std::strerror(errno));
}

bool sync_path(const std::filesystem::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
    if (fd < 0) return false;
    const bool synced = ::fsync(fd) == 0;
    ::close(fd);
    return synced;
}

std::filesystem::path parent_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

base::Result<void> sync_folder(const std::filesystem::path& folder) {
    if (!sync_path(folder, O_RDONLY | O_DIRECTORY)) return failed(folder, "sync");
    return {};
}

base::Result<void> make_folder(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> missing;
    std::error_code error;
    for (auto at = folder; !std::filesystem::exists(at, error) && !error; at = parent_of(at))
        missing.push_back(at);
    std::ranges::reverse(missing);
    for (const std::filesystem::path& each : missing) {
        // Another process may be quicker; its folder is as good.
        if (::mkdir(each.c_str(), 0777) != 0 && errno != EEXIST) return failed(each, "create");
        if (auto synced = sync_folder(parent_of(each)); !synced) return synced;
    }
    if (!std::filesystem::is_directory(folder, error)) {
        errno = ENOTDIR;
        return failed(folder, "use");
    }
    return {};
}

base::Result<void> put_into_place(const std::filesystem::path& part,
                                  const std::filesystem::path& to) {
    if (!sync_path(part, O_RDONLY)) return failed(part, "sync");
    if (::rename(part.c_str(), to.c_str()) != 0) return failed(to, "create");
    return sync_folder(parent_of(to));
}

}  // namespace queue
