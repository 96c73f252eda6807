// PageFile: a database's file as numbered pages, of which any may be unreadable.
//
// Reads what is on the disk, behind SQLite's back: nobody else may have the file open, and its
// write-ahead log has to be empty. Any one thread; a page that can't be read is a value, no error.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace queue {

class PageFile {
  public:
    /// `size`: bytes of a page; `usable`: those of them that SQLite uses. Errc::storage.
    static base::Result<PageFile> open(const std::filesystem::path& file, std::size_t size,
                                       std::size_t usable);
    ~PageFile();
    PageFile(PageFile&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)),
          size_(other.size_),
          usable_(other.usable_),
          count_(other.count_) {}
    PageFile& operator=(PageFile&&) = delete;
    PageFile(const PageFile&) = delete;
    PageFile& operator=(const PageFile&) = delete;

    /// Pages are numbered from 1. A last one that is not all there does not count.
    std::uint32_t count() const { return count_; }
    std::size_t usable() const { return usable_; }
    /// It has nothing in it: SQLite locks bytes of it.
    bool is_lock_page(std::uint32_t number) const;
    /// Its usable bytes; nothing if the disk does not give them out.
    std::optional<std::string> read(std::uint32_t number) const;

  private:
    PageFile(int fd, std::size_t size, std::size_t usable, std::uint32_t count)
        : fd_(fd), size_(size), usable_(usable), count_(count) {}
    int fd_;
    std::size_t size_;
    std::size_t usable_;
    std::uint32_t count_;
};

}  // namespace queue
