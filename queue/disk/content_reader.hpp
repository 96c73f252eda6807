// ContentReader: reads contents that are in files off the event loop, which no disk may hold up.
//
// Owns the threads that wait for the disk. The contents may outlive it: then they can't be read any
// more (Errc::storage). What can't be read is named in the log, at this one place.
//
// Tested by tests/unit/queue/content_test.cpp.
#pragma once

#include "queue/content.hpp"
#include "queue/disk/content_file.hpp"

#include <memory>

namespace queue {

class ContentReader {
  public:
    ContentReader();
    /// Waits for what is being read: the loops that asked for it have to be there still.
    ~ContentReader();
    ContentReader(const ContentReader&) = delete;
    ContentReader& operator=(const ContentReader&) = delete;

    /// `file` as a content. Any thread.
    Content content(std::shared_ptr<const ContentFile> file) const;

  private:
    std::shared_ptr<base::asio::thread_pool> threads_;
};

}  // namespace queue
