// Outgoing complaints: what recipients here have said goes to where the mail came from, in batches.
// Storage thread.
//
// A batch is a message of Lane::report; what stands in one is not told again, whatever becomes of
// it.
//
// Tested by tests/unit/queue/ledger/complaints_test.cpp.
#pragma once

#include "queue/ledger/complaints.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

/// Complaints that one peer is told in a round.
inline constexpr std::size_t kComplaintsToPeer = 500;

/// As QueueComplaints says.
base::Result<ComplaintStep> queue_complaints(Store& store, const QueueComplaints& op);

}  // namespace queue
