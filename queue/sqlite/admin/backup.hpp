// Backup: the whole queue as one file, while it is in use; and back.
//
// The file is a SQLite database: the queue's own, with every content in it. Transfers that were
// arriving in pieces are left out (their senders begin them again), and what was being delivered
// waits.
#pragma once

#include "base/result.hpp"
#include "queue/disk/content_files.hpp"
#include "queue/ledger/questions.hpp"
#include "queue/sqlite/store/database.hpp"

#include <cstdint>
#include <filesystem>

namespace queue {

/// Writes `file`, which must not exist (mode 0600). `database` is in a read transaction, and
/// `contents` keeps its files until this returns (ContentFiles::pin). Errc::conflict,
/// Errc::storage.
base::Result<BackupFacts> write_backup(Database& database, const ContentFiles& contents,
                                       const std::filesystem::path& file);

/// Makes the queue in `directory` that of `file`. Errc::conflict if there is mail in it already, or
/// it is in use; Errc::damaged if the file is no sound backup; Errc::storage. Nothing is changed
/// then.
base::Result<BackupFacts> restore_backup(const std::filesystem::path& file,
                                         const std::filesystem::path& directory);

}  // namespace queue
