// Rerouting: recipients get another destination. Which do, queue/delivery/fallback and
// queue/delivery/leasing say. Storage thread.
//
// Only what was never sent is moved here. What may have left has to be called back from its peer
// first (the fence, protocol rule 4), which LeasedMessage::call_back is for. Mail of a component
// that the administrator has renamed or given up is moved, too.
//
// Tested by tests/unit/queue/delivery/fallback_test.cpp.
#pragma once

#include "queue/delivery/fallback.hpp"
#include "queue/sqlite/store/store.hpp"

#include <optional>
#include <string>

namespace queue {

/// One recipient of `destination`, of whose mail nothing may have left. Returns where it goes now.
Destination move_around(Store& store, const Destination& destination, QueueId message,
                        std::int64_t n, const std::string& why);

/// One recipient of `destination`, of whose mail nothing may have left, and which its component is
/// not to send any more, for `why`: it goes by the one that sends for its sender now, or else
/// around. Nothing: there is no such, XMPP is required, and it stays. Errc::damaged.
base::Result<std::optional<Destination>> move_from_component(Store& store,
                                                             const Destination& destination,
                                                             QueueId message, std::int64_t n,
                                                             const std::string& why);

}  // namespace queue
