// Operations: what an administrator does with mail that is in the queue.
//
// In steps of limits::kOperated recipients, each step a transaction, so that mail gets its turn.
// What is being delivered at that moment is passed over, and counted. Storage thread.
#pragma once

#include "queue/sqlite/admin/selection.hpp"
#include "queue/sqlite/store/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

/// One step of `verb`, behind `after` (nothing: from the start).
base::Result<Operated> operate(Store& store, Verb verb, const Selection& selection,
                               const std::optional<Selected>& after);

}  // namespace queue
