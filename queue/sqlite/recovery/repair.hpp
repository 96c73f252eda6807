// Repair: makes of a damaged queue's database a sound one, with all in it that can still be read.
//
// The damaged one stays beside it as `queue.db.damaged-TIME`. Nobody else may use the directory
// meanwhile. A power cut leaves either the old database or the new one in place. What it takes on
// the disk is checked first: as much as the database again.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "queue/repair_report.hpp"

#include <filesystem>
#include <optional>

namespace queue {

/// Nothing if the database was sound: then nothing was changed. The caller has the directory's
/// lock. Errc::storage with one clear sentence, and everything as it was: there is no room, there
/// are three damaged databases beside it already, or the file is no queue's database.
base::Result<std::optional<RepairReport>> repair(const std::filesystem::path& directory,
                                                 base::TimePoint now);

/// The same for a start that met damage: takes the lock meanwhile, says in the log what came of it,
/// and takes the note of damage away. Errc::storage also if it was repaired a short while ago:
/// what does not last is for an administrator to look at.
base::Result<void> repair_at_start(const std::filesystem::path& directory, base::TimePoint now);

}  // namespace queue
