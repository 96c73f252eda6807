#include "queue/disk/content_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace queue {
namespace {

base::Error failed(QueueId id, const char* what) {
    return base::fail(base::Errc::storage, "content " + id.to_text() + " can't be " + what + ": " +
                                               std::strerror(errno));
}

base::Error damaged(QueueId id, const std::string& why) {
    return base::fail(base::Errc::damaged, "content " + id.to_text() + " " + why);
}

base::Error wrong_size(QueueId id, std::size_t is, std::size_t was) {
    return damaged(id, "is " + std::to_string(is) + " bytes long, not " + std::to_string(was));
}

}  // namespace

base::Result<std::shared_ptr<const ContentFile>> ContentFile::open(
    const std::filesystem::path& path, QueueId id, std::size_t size) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) return damaged(id, "is not there any more");
    if (file < 0) return failed(id, "opened");
    const std::shared_ptr<const ContentFile> opened(new ContentFile(file, id, size));
    struct stat facts {};
    if (::fstat(file, &facts) != 0) return failed(id, "looked at");
    const auto is = static_cast<std::size_t>(facts.st_size);
    if (is != size) return wrong_size(id, is, size);
    return opened;
}

ContentFile::~ContentFile() {
    ::close(file_);
}

base::Result<std::string> ContentFile::read(std::size_t offset, std::size_t size) const {
    const std::size_t start = std::min(offset, size_);
    std::string bytes(std::min(size, size_ - start), '\0');
    for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t count =
            ::pread(file_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(start + at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed(id_, "read");
        if (count == 0) return wrong_size(id_, start + at, size_);
        at += static_cast<std::size_t>(count);
    }
    // A hint.
    if (const std::size_t next = start + bytes.size(); next < size_)
        (void)::posix_fadvise(file_, static_cast<off_t>(next),
                              static_cast<off_t>(std::min(size, size_ - next)),
                              POSIX_FADV_WILLNEED);
    return bytes;
}

}  // namespace queue
