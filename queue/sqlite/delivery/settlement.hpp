// Settlement: records what became of leased recipients, with the reports that are due, in one
// transaction (invariant 2). Storage thread.
#pragma once

#include "queue/due_now.hpp"
#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// Records `outcomes`. Recipients that are not leased any more are passed over.
base::Result<DueNow> settle(Store& store, const std::vector<MessageOutcome>& outcomes);

/// These recipients of a message can't get it the way that they have, on which nothing was sent:
/// as Rerouted.
base::Result<DueNow> reroute_recipients(Store& store, QueueId message,
                                        const std::vector<std::uint32_t>& recipients,
                                        const std::string& why);

/// Ends these recipients of a message, whose time is up (4.4.7), unless they have ended already.
/// `last`: what their last try said; nothing: as the store has it.
base::Result<DueNow> expire_recipients(Store& store, QueueId message,
                                       const std::vector<std::uint32_t>& recipients,
                                       const std::optional<Deferred>& last = std::nullopt);

/// As settle(), of one; if that fails and the storage does not, the message goes to quarantine with
/// what is known of it in its history. Throws SQLite::Exception if nothing can be written.
base::Result<DueNow> settle_or_hold(Store& store, const MessageOutcome& outcome);

/// An administrator ends these recipients of a message, which are not being delivered: as bounced,
/// with a report, or as discarded, without one. Errc::damaged if it can't be read; to be discarded
/// it need not.
base::Result<DueNow> end_recipients(Store& store, QueueId message,
                                    const std::vector<std::uint32_t>& recipients, bool bounce);

}  // namespace queue
