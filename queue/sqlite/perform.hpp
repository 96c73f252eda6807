// Perform: each operation of the ledger, on a Store. Storage thread, in a transaction; may throw
// SQLite::Exception.
//
// Tested by tests/unit/queue/sqlite/sqlite_ledger_test.cpp.
#pragma once

#include "queue/ledger/ledger.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

base::Result<Answer> perform(Store& store, const Operation& operation);

}  // namespace queue
