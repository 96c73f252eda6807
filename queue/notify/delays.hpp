// Delays: tells senders that their mail still waits (NOTIFY=DELAY, RFC 3461 5.2.5), once for each
// recipient. Storage thread.
#pragma once

#include "queue/store/store.hpp"
#include "queue/woken.hpp"

namespace queue {

struct DelaySweep {
    QueueId seen;      ///< every message up to this one has been looked at
    bool more = true;  ///< there may be more than one step looks at: go on at once
    Woken woken;       ///< destinations that got reports
};

/// Looks at the messages behind `after` that have waited for longer than
/// StoreSettings::delay_warning.
base::Result<DelaySweep> warn_of_delays(Store& store, QueueId after);

}  // namespace queue
