// Kept headers: what has to outlast a message's content, because a peer may still report on it.
// Storage thread.
//
// Tested by tests/unit/queue/sqlite/notify/reports_test.cpp.
#pragma once

#include "queue/sqlite/store/rows.hpp"

namespace queue {

/// The message has ended, and its content is about to go. If a peer took it for a sender of ours
/// who may want to hear more, its header stays, and its history at least until no report can come
/// any more. Errc::storage, Errc::damaged.
base::Result<void> keep_header(Store& store, const MessageRow& message);

}  // namespace queue
