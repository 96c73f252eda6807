// Salvage: copies each row that can be read from a damaged database's file into a new, empty one.
//
// It follows the trees from page to page, and takes up what nothing leads to any more because a
// page above it is damaged. Rows of pages that SQLite has freed are never among them: what was
// deleted stays deleted. Indexes are made anew, but for what only they still say. In memory: one
// row, and two bytes a page. What the rows then say of each other is
// queue/sqlite/recovery/mend.hpp's.
//
// Tested by tests/unit/queue/sqlite/recovery/repair_test.cpp.
#pragma once

#include "queue/repair_report.hpp"
#include "queue/sqlite/recovery/page_file.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

/// `into` has the tables of the version that the file is of, and nothing in them. Throws
/// SQLite::Exception if `into` can't be written.
void salvage(const PageFile& file, SQLite::Database& into, RepairReport& report);

}  // namespace queue
