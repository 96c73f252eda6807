// Database copies: a consistent copy of a SQLite database as one file, that is there as a whole or
// not at all.
//
// Tested by tests/unit/queue/sqlite/admin/backup_test.cpp.
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <functional>

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

/// Copies `from`, as it is at this moment, to `to` (mode 0600), which is replaced if it is there.
/// The copy is changed by `finish`, if any, synced, and only then gets its name. Errc::storage,
/// with nothing left behind; throws SQLite::Exception if `from` can't be read.
base::Result<void> copy_database(
    SQLite::Database& from, const std::filesystem::path& to,
    const std::function<base::Result<void>(SQLite::Database&)>& finish);

}  // namespace queue
