// Offline: what an administrator asks of the queue while no daemon works on it.
//
// Tested by tests/unit/queue/sqlite/admin/offline_test.cpp.
#pragma once

#include "base/result.hpp"
#include "queue/ledger/questions.hpp"

#include <filesystem>
#include <vector>

namespace queue {

/// What is wrong with the queue in `directory`. Errc::not_found if there is none; Errc::damaged if
/// a page is that had to be read; Errc::storage, also if the queue is in use.
base::Result<std::vector<Finding>> verify_offline(const std::filesystem::path& directory);

/// Writes `file`, which must not exist (mode 0600). The errors of verify_offline(), and
/// Errc::conflict if the file is there.
base::Result<BackupFacts> back_up_offline(const std::filesystem::path& directory,
                                          const std::filesystem::path& file);

}  // namespace queue
