// SQL functions of ours: names are compared as mail and XMPP compare them, which SQLite can't.
//
// Pure; on whichever thread the connection is used. They fail only for want of memory.
//
// Tested by tests/unit/queue/sqlite/admin/operations_test.cpp.
#pragma once

#include <string>
#include <string_view>

#include <SQLiteCpp/SQLiteCpp.h>

namespace queue {

/// For comparisons: ASCII in lower case, and what follows the last `@`, if it is a domain, in
/// A-labels.
std::string folded_address(std::string_view address);

/// `folded_address(TEXT)`, and `domainpart(TEXT)`: a JID of a domainpart alone in its one spelling
/// (mail::Domain::domainpart()), anything else as it is. NULL stays NULL.
void add_functions(SQLite::Database& connection);

}  // namespace queue
