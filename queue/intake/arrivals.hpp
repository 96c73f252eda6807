// Arrivals: puts a message into the store. Every message comes this way, our own reports included.
// Storage thread.
#pragma once

#include "queue/ports.hpp"
#include "queue/store/store.hpp"

namespace queue {

/// Stores `arrival`, with its verdict if it is a transfer. Errors as Intake::accept_all says.
base::Result<Receipt> add_arrival(Store& store, const Arrival& arrival);

/// Stores a message that has at least one recipient.
base::Result<QueueId> insert_message(Store& store, const Arrival& arrival);

}  // namespace queue
