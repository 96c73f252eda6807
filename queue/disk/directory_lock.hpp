// DirectoryLock: keeps a queue's directory to one process, as long as it lives.
//
// Tested by tests/unit/queue/sqlite/recovery/opening_test.cpp.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <utility>

namespace queue {

class DirectoryLock {
  public:
    /// Errc::storage with one clear sentence: another process has it, or the directory can't be
    /// written to.
    static base::Result<DirectoryLock> take(const std::filesystem::path& directory);
    ~DirectoryLock();
    DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    DirectoryLock(const DirectoryLock&) = delete;
    DirectoryLock& operator=(const DirectoryLock&) = delete;

  private:
    explicit DirectoryLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace queue
