// New message: puts one into the store, with its content and its recipients. Every message comes
// this way, our own reports included. Storage thread.
//
// Tested by tests/unit/queue/sqlite/intake/arrivals_test.cpp.
#pragma once

#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// What its header says. Errc::storage if its content can't be read.
base::Result<mail::HeaderSummary> header_of(Store& store, const Arrival& arrival);
/// Stores a message that has at least one recipient; `sender` is what is thought of the domain that
/// it came for. Errc::storage if its content can't be written.
base::Result<QueueId> insert_message(Store& store, const Arrival& arrival,
                                     PeerClass sender = PeerClass::none);

}  // namespace queue
