// Inspection: what an operator asks: what waits and why, and what became of a message.
//
// Only looks; on the Reader's connection, so that it delays no mail.
//
// Tested by tests/unit/queue/sqlite/admin/operations_test.cpp and
// tests/unit/queue/sqlite/delivery/settlement_test.cpp.
#pragma once

#include "queue/ledger/questions.hpp"
#include "queue/sqlite/admin/selection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace queue {

/// At most `most`, behind `after` (nothing: from the start). A page may have fewer, or none, and be
/// followed by others: the work for each has a bound. What is on a damaged page is there, with what
/// can be read of it.
ListPage list(Database& database, const Selection& selection, const std::optional<Selected>& after,
              std::size_t most);

/// One step of it, with a bound on what it looks at.
void go_on(Database& database, const std::string& name, Search& search);

/// What has become of these messages, in their order.
std::vector<TracedMessage> trace(Database& database, const std::vector<QueueId>& ids);

}  // namespace queue
