// ContentFile: an open file with a content, of which ranges are read.
//
// Owns the descriptor, so that what was opened is read to its end, whatever becomes of its name.
// Any thread, several at once; each read waits for the disk.
//
// Tested by tests/unit/queue/content_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/queue_id.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

namespace queue {

class ContentFile {
  public:
    /// Errc::damaged if there is no such file or it is not `size` bytes long, Errc::storage if the
    /// disk fails. `id`: how it is called in errors.
    static base::Result<std::shared_ptr<const ContentFile>> open(const std::filesystem::path& path,
                                                                 QueueId id, std::size_t size);
    ~ContentFile();
    ContentFile(const ContentFile&) = delete;
    ContentFile& operator=(const ContentFile&) = delete;

    QueueId id() const { return id_; }
    std::size_t size() const { return size_; }
    /// The bytes from `offset` on: `size` of them, or as many as there are. The next range of that
    /// size is on its way to memory when it returns. Errc::damaged if the file is shorter than it
    /// was, Errc::storage if the disk does not give them.
    base::Result<std::string> read(std::size_t offset, std::size_t size) const;

  private:
    ContentFile(int file, QueueId id, std::size_t size) : file_(file), id_(id), size_(size) {}
    int file_;
    QueueId id_;
    std::size_t size_;
};

}  // namespace queue
