// ContentFiles: contents that are too large for the database, each a file named by its queue id.
//
// A file is on the disk, and so is its folder's entry, before the row that names it is committed;
// it is removed after the row's removal is. What a crash leaves between the two, sweep() takes away
// at start. Storage thread.
//
// Tested by tests/unit/queue/content_test.cpp and tests/unit/queue/intake/queue_spool_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/disk/content_file.hpp"
#include "queue/queue_id.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace queue {

class ContentFiles {
  public:
    /// Makes `folder` (mode 0700) where it is missing, on the disk when it returns. Errc::storage.
    static base::Result<ContentFiles> open(std::filesystem::path folder);
    /// Only to look at what is there: `folder` is left as it is, and may be missing.
    static ContentFiles existing(std::filesystem::path folder);

    /// Written and synced, file and folder, when it returns. Errc::storage.
    base::Result<void> write(QueueId id, std::string_view bytes) const;
    /// To be read from: ContentFile::open.
    base::Result<std::shared_ptr<const ContentFile>> file(QueueId id, std::size_t size) const {
        return ContentFile::open(path_of(id), id, size);
    }
    /// An empty file that may grow to `size` bytes: the disk keeps the room, where it can.
    base::Result<void> create(QueueId id, std::size_t size) const;
    /// `bytes` at `offset` of a file that create() made. They are synced when it returns if `sync`
    /// says so; else they are on their way.
    base::Result<void> put(QueueId id, std::size_t offset, std::string_view bytes, bool sync) const;
    /// The first `size` bytes of the file `from` of `others`, on the same disk, are ours from now
    /// on, too, under the name `id`: synced, file and folder, when it returns. Nothing is copied.
    base::Result<void> adopt(QueueId id, const ContentFiles& others, QueueId from,
                             std::size_t size) const;
    /// Bytes; 0 if there is no such file.
    std::uintmax_t size_of(QueueId id) const;
    /// Not while the files are pinned: then it is done by the last unpin().
    void remove(QueueId id);
    /// Until unpin() no file is removed: a backup copies them. Calls may overlap.
    void pin() { ++pins_; }
    void unpin();
    struct Swept {
        std::size_t removed = 0;
        std::size_t left = 0;  ///< that can't be removed: they only take room
        std::string why;       ///< one of those is still there
    };
    /// Removes every file that `is_wanted` says no to. Throws std::filesystem::filesystem_error if
    /// the folder can't be read.
    Swept sweep(const std::function<bool(QueueId)>& is_wanted) const;

  private:
    base::Result<void> sync_entry(const std::filesystem::path& path) const;
    std::filesystem::path path_of(QueueId id) const { return folder_ / id.to_text(); }
    ContentFiles() = default;
    void remove_now(QueueId id) const;
    std::filesystem::path folder_;
    int pins_ = 0;
    std::vector<QueueId> postponed_;  ///< what a crash leaves of it is swept away at the next start
};

}  // namespace queue
