// Delays: tells senders that their mail still waits (NOTIFY=DELAY, RFC 3461 5.2.5), once for each
// recipient. Storage thread.
#pragma once

#include "queue/ledger/administration.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// Looks at the messages behind `after` that have waited for longer than
/// StoreSettings::delay_warning.
base::Result<DelaySweep> warn_of_delays(Store& store, QueueId after);

}  // namespace queue
