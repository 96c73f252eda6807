// Content: the octets of a message in the queue, wherever they are. The one port through which they
// are read.
//
// What is small is in memory, and costs neither a wait nor a copy. All else is read in ranges, off
// the event loop, and whoever reads has to deal with a range that can't be had: Errc::storage if
// the disk fails, which may pass, Errc::damaged if the octets are gone. Copies share what they
// hold. Event loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "mail/content.hpp"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace queue {

/// Where the octets of a large content are.
class ContentSource {
  public:
    virtual ~ContentSource() = default;
    /// The `size` bytes from `offset` on, which all are within the content. Several calls may be
    /// under way at once. Errc::storage, Errc::damaged.
    virtual base::Task<base::Result<std::string>> read(std::size_t offset, std::size_t size) = 0;
};

class Content {
  public:
    Content() = default;
    /// In memory.
    Content(mail::Content bytes) : size_(bytes.size()), bytes_(std::move(bytes)) {}
    Content(std::shared_ptr<ContentSource> source, std::size_t size)
        : size_(size), source_(std::move(source)) {}

    std::size_t size() const { return size_; }
    bool is_in_memory() const { return source_ == nullptr; }
    /// All of it; only if it is in memory.
    std::string_view bytes() const {
        if (!is_in_memory()) throw std::logic_error("this content is not in memory");
        return bytes_.bytes();
    }
    /// The bytes from `offset` on: `size` of them, or as many as there are. Waits only if they are
    /// not in memory. What it returns is in memory as long as it lives: `size` is to be bounded.
    base::Task<base::Result<mail::Content>> read(std::size_t offset, std::size_t size) const;

  private:
    std::size_t size_ = 0;
    mail::Content bytes_;
    std::shared_ptr<ContentSource> source_;
};

/// The header fields from `offset` on, with the final CRLF (mail::header_of). They are in memory
/// then, however many they are.
base::Task<base::Result<mail::Content>> read_header(Content content, std::size_t offset = 0);

/// `error` is one of a content that can't be read.
inline bool is_unreadable(const base::Error& error) {
    return error.code == base::Errc::storage || error.code == base::Errc::damaged;
}

}  // namespace queue
