// Quarantine: takes a message that can't be read any more out of the way, so that the rest goes on.
//
// Its recipients are held, our postmaster is told, and an administrator can release it once it is
// mended, bounce or cancel it. If nobody does, its sender is told when its time is up. Storage
// thread.
#pragma once

#include "queue/leases.hpp"
#include "queue/queue_id.hpp"
#include "queue/store.hpp"

#include <optional>
#include <string>

namespace queue {

/// Holds every recipient of `message` that has not ended, and says `why`. Returns where the report
/// to our postmaster goes, if there is enough left to report on.
base::Result<std::optional<Destination>> quarantine(Store& store, QueueId message,
                                                    const std::string& why);

/// Ends what is in quarantine and has expired. Destinations that got reports.
base::Result<Woken> expire_quarantine(Store& store);

}  // namespace queue
