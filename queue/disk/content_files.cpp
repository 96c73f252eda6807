#include "queue/disk/content_files.hpp"

#include "base/crash_point.hpp"
#include "queue/disk/synced.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace queue {
namespace {

class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

base::Error failed(const char* what, const std::filesystem::path& path) {
    return base::fail(base::Errc::storage,
                      path.string() + ": can't " + what + ": " + std::strerror(errno));
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

base::Result<ContentFiles> ContentFiles::open(std::filesystem::path folder) {
    if (auto made = make_folder(folder); !made) return made.error();
    std::error_code error;
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    if (error) return base::fail(base::Errc::storage, folder.string() + ": " + error.message());
    return existing(std::move(folder));
}

ContentFiles ContentFiles::existing(std::filesystem::path folder) {
    ContentFiles files;
    files.folder_ = std::move(folder);
    return files;
}

base::Result<void> ContentFiles::write(QueueId id, std::string_view bytes) const {
    const auto path = path_of(id);
    {
        const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!file) return failed("create", path);
        if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0) {
            const auto error = failed("write", path);
            ::unlink(path.c_str());
            return error;
        }
    }
    return sync_entry(path);
}

/// Of a new file. If it can't be synced, the file goes again: no row will ever name it.
base::Result<void> ContentFiles::sync_entry(const std::filesystem::path& path) const {
    base::crash_point("content.before-entry");
    auto synced = sync_folder(folder_);
    if (!synced) ::unlink(path.c_str());
    return synced;
}

base::Result<void> ContentFiles::create(QueueId id, std::size_t size) const {
    const auto path = path_of(id);
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return failed("create", path);
    // Not every file system can; then the disk may turn out full later.
    const int kept = ::fallocate(file.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
    if (kept != 0 && errno != EOPNOTSUPP && errno != EINVAL) {
        const auto error = failed("keep room for", path);
        ::unlink(path.c_str());
        return error;
    }
    return sync_entry(path);
}

base::Result<void> ContentFiles::put(QueueId id, std::size_t offset, std::string_view bytes,
                                     bool sync) const {
    const auto path = path_of(id);
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) return failed("open", path);
    const auto start = static_cast<off_t>(offset);
    if (::lseek(file.get(), start, SEEK_SET) < 0 || !write_all(file.get(), bytes))
        return failed("write", path);
    if (!sync) {
        // So that the sync at the end finds little to do. A hint.
        (void)::sync_file_range(file.get(), start, static_cast<off_t>(bytes.size()),
                                SYNC_FILE_RANGE_WRITE);
    } else if (::fdatasync(file.get()) != 0) {
        return failed("sync", path);
    }
    return {};
}

base::Result<void> ContentFiles::adopt(QueueId id, const ContentFiles& others, QueueId from,
                                       std::size_t size) const {
    const auto path = others.path_of(from);
    {
        const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!file) return failed("open", path);
        if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0 || ::fsync(file.get()) != 0)
            return failed("sync", path);
    }
    // A file of that name can only be what a crash left.
    ::unlink(path_of(id).c_str());
    if (::link(path.c_str(), path_of(id).c_str()) != 0) return failed("link", path_of(id));
    base::crash_point("content.adopted");
    return sync_entry(path_of(id));
}

std::uintmax_t ContentFiles::size_of(QueueId id) const {
    std::error_code none;
    const auto size = std::filesystem::file_size(path_of(id), none);
    return none ? 0 : size;
}

void ContentFiles::remove(QueueId id) {
    if (pins_ > 0)
        postponed_.push_back(id);
    else
        remove_now(id);
}

void ContentFiles::unpin() {
    if (--pins_ > 0) return;
    for (const QueueId id : std::exchange(postponed_, {}))
        remove_now(id);
}

void ContentFiles::remove_now(QueueId id) const {
    base::crash_point("content.before-remove");
    // A file that stays is an orphan, which the next start sweeps away: no reason to fail.
    std::error_code ignored;
    std::filesystem::remove(path_of(id), ignored);
}

ContentFiles::Swept ContentFiles::sweep(const std::function<bool(QueueId)>& is_wanted) const {
    std::vector<std::filesystem::path> orphans;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const auto id = QueueId::parse(entry.path().filename().string());
        if (id && !is_wanted(*id)) orphans.push_back(entry.path());
    }
    Swept swept;
    for (const auto& path : orphans) {
        std::error_code error;
        std::filesystem::remove(path, error);
        if (!error) {
            ++swept.removed;
        } else {
            ++swept.left;
            swept.why = path.string() + ": " + error.message();
        }
    }
    return swept;
}

}  // namespace queue
