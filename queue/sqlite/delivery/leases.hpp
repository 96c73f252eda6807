// Leases: gives out what is due for a destination. Storage thread.
#pragma once

#include "queue/ledger/delivery.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// What is due, within `ready.limits`: interactive mail before bulk, which gets a share all the
/// same; each in order. On Lane::xmpp each message has its transfer, whose
/// id, peer and recipients are committed with the lease (protocol rule 1); recipients that were
/// given to a transfer without a verdict are leased with that one again, unchanged. What has
/// expired is leased, too, for its last try (queue/delivery/expiry); what has waited for its
/// peer longer than the administrator allows goes by SMTP, or is to be called back if it may have
/// been sent (queue/delivery/fallback). A message that is damaged goes to quarantine, one
/// that the disk does not give out now is put off; the others go on. What was under way in a crash
/// is alone in its lease (queue/sqlite/delivery/crashes).
base::Result<Lease> lease(Store& store, const Destination& destination, const Ready& ready,
                          Portion portion = Portion::small);
/// The first of the portions that are asked for of which something is due.
base::Result<Leased> lease_due(Store& store, const LeaseDue& asked);

/// When the next recipient of `destination` is due; nothing if none waits.
std::optional<base::TimePoint> next_due(Store& store, const Destination& destination);
/// The same of the destination with that number, and of one portion of it.
std::optional<base::TimePoint> next_due(Store& store, std::int64_t number);
std::optional<base::TimePoint> next_due(Store& store, std::int64_t number, Portion portion);

}  // namespace queue
