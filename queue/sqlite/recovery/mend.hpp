// Mend: sets right what the rows of a salvaged database say of each other, so that the store's
// invariants hold again.
//
// In doubt, a recipient is held: nothing is delivered twice, and nothing is dropped. What can't be
// delivered any more, as its sender or its recipients are lost, is kept as a file for the
// administrator. Changes only the database, and the folder of what is lost; one transaction, in
// memory some hundred rows.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/disk/content_files.hpp"
#include "queue/repair_report.hpp"
#include "queue/sqlite/store/database.hpp"

namespace queue {

struct MendFiles {
    const ContentFiles* contents = nullptr;
    const ContentFiles* spool = nullptr;
    /// Where contents go that can't be delivered; made if there is one.
    std::filesystem::path lost;
};

/// Errc::storage if something can't be kept. Throws SQLite::Exception.
base::Result<void> mend(Database& database, const MendFiles& files, base::TimePoint now,
                        RepairReport& report);

}  // namespace queue
