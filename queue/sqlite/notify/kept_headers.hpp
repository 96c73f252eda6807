// Kept headers: what has to outlast a message's content, because a peer may still report on it.
// Storage thread.
//
// Tested by tests/unit/queue/sqlite/notify/reports_test.cpp.
#pragma once

#include "queue/sqlite/store/rows.hpp"

namespace queue {

/// When the last report can come on a message of which all recipients have ended: its header and
/// its history stay until then. Nothing if none can: no peer took it for a sender of ours who may
/// want to hear more.
std::optional<base::TimePoint> last_report(Store& store, const MessageRow& message);

/// The message's content is about to go, and its header has to stay. Errc::storage, Errc::damaged.
base::Result<void> keep_header(Store& store, const MessageRow& message);

}  // namespace queue
