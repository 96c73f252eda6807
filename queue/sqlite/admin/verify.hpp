// Verify: does the queue's database keep the store's invariants? Only looks.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp and tests/unit/queue/model_test.cpp.
#pragma once

#include "queue/disk/content_files.hpp"
#include "queue/ledger/questions.hpp"
#include "queue/sqlite/store/database.hpp"

#include <string>
#include <vector>

namespace queue {

/// What belongs to the database outside of it; nothing is looked at that is not there.
struct VerifyFiles {
    const ContentFiles* contents = nullptr;
    const ContentFiles* spool = nullptr;
    /// A daemon works on it meanwhile: mail is being delivered, and files come and go.
    bool in_use = false;
};

/// At most a thousand findings; none is what one hopes for. Throws SQLite::Exception.
std::vector<Finding> verify(Database& database, const VerifyFiles& files);

}  // namespace queue
