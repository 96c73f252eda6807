#include "queue/content_files.hpp"

#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
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

ContentFiles::ContentFiles(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
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
    const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0) return failed("sync", folder_);
    return {};
}

base::Result<mail::Content> ContentFiles::read(QueueId id, std::size_t size) const {
    const auto path = path_of(id);
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return failed("open", path);
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return failed("read", path);
    if (static_cast<std::size_t>(facts.st_size) != size)
        return base::fail(base::Errc::storage, path.string() + ": is " +
                                                   std::to_string(facts.st_size) +
                                                   " bytes long, not " + std::to_string(size));
    void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (start == MAP_FAILED) return failed("map", path);
    const std::shared_ptr<const void> owner(
        start, [size](const void* p) { ::munmap(const_cast<void*>(p), size); });
    return mail::Content(owner, std::string_view(static_cast<const char*>(start), size));
}

void ContentFiles::remove(QueueId id) const {
    // A file that stays is an orphan, which the next start sweeps away: no reason to fail.
    std::error_code ignored;
    std::filesystem::remove(path_of(id), ignored);
}

std::size_t ContentFiles::sweep(const std::function<bool(QueueId)>& is_wanted) const {
    std::vector<std::filesystem::path> orphans;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        const auto id = QueueId::parse(entry.path().filename().string());
        if (id && !is_wanted(*id)) orphans.push_back(entry.path());
    }
    for (const auto& path : orphans)
        std::filesystem::remove(path);
    return orphans.size();
}

}  // namespace queue
