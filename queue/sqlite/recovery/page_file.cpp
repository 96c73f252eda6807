#include "queue/sqlite/recovery/page_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace queue {
namespace {

// A disk that fails now and then may give a page out at the next attempt.
constexpr int kAttempts = 3;
// Where SQLite locks, in bytes from the start (https://sqlite.org/fileformat.html, 1.3).
constexpr std::size_t kLockByte = std::size_t{1} << 30;

bool read_all(int fd, std::string& bytes, off_t at) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got =
            ::pread(fd, bytes.data() + done, bytes.size() - done, at + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += static_cast<std::size_t>(got);
    }
    return true;
}

}  // namespace

base::Result<PageFile> PageFile::open(const std::filesystem::path& file, std::size_t size,
                                      std::size_t usable) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat facts {};
    if (fd < 0 || ::fstat(fd, &facts) != 0) {
        const std::string why = std::strerror(errno);
        if (fd >= 0) ::close(fd);
        return base::fail(base::Errc::storage, file.string() + ": can't open: " + why);
    }
    return PageFile(fd, size, usable,
                    static_cast<std::uint32_t>(static_cast<std::size_t>(facts.st_size) / size));
}

PageFile::~PageFile() {
    if (fd_ >= 0) ::close(fd_);
}

bool PageFile::is_lock_page(std::uint32_t number) const {
    return number == kLockByte / size_ + 1;
}

std::optional<std::string> PageFile::read(std::uint32_t number) const {
    if (number == 0 || number > count_) return std::nullopt;
    std::string bytes(usable_, '\0');
    const auto at = static_cast<off_t>(number - 1) * static_cast<off_t>(size_);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (read_all(fd_, bytes, at)) return bytes;
    }
    return std::nullopt;
}

}  // namespace queue
