// Arrivals: what comes by a door, with its verdict if it is a transfer, within the disk's reserve
// and its peer's share. Storage thread.
#pragma once

#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// Stores `arrival`, with its verdict if it is a transfer. Errors as Intake::accept_all says.
base::Result<Receipt> add_arrival(Store& store, const Arrival& arrival);

}  // namespace queue
