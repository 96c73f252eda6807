// Quarantine: takes a message that can't be read any more, or that its peer takes for another one,
// out of the way, so that the rest goes on.
//
// Its recipients are held, our postmaster is told, and an administrator can release it once it is
// mended, bounce or cancel it. If nobody does, its sender is told when its time is up. Storage
// thread.
#pragma once

#include "queue/queue_id.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "queue/sqlite/store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace queue {

/// Holds every recipient of `message` that has not ended, and says `why`. Returns where the report
/// to our postmaster goes, if there is enough left to report on.
base::Result<std::optional<Destination>> quarantine(Store& store, QueueId message,
                                                    const std::string& why);

struct HeldRecipient {
    std::uint32_t n = 0;
    std::string address;
    int attempts = 0;  ///< with the last one
};
/// Holds these recipients of `message`, for what its next hop has said. Returns where the report to
/// our postmaster goes.
base::Result<std::optional<Destination>> hold_back(Store& store, const MessageRow& message,
                                                   const std::vector<HeldRecipient>& recipients,
                                                   const Held& held);

/// `message` is not in quarantine any more if none of its recipients is held, and others wait.
void leave_if_none_is_held(Store& store, QueueId message);

}  // namespace queue
