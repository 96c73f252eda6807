// StoredComplaints: the queue's ComplaintBook, kept in the store.
//
// Event loop; the work is done on the storage thread.
//
// Tested by tests/e2e/test_complaints.py.
#pragma once

#include "queue/complaint.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/slowed_senders.hpp"

namespace queue {

class StoredComplaints final : public ComplaintBook {
  public:
    /// `slowed` is told at once who is. Both outlive it.
    StoredComplaints(StorageThread& storage, SlowedSenders& slowed)
        : storage_(storage), slowed_(slowed) {}

    base::Task<base::Result<void>> take(Complaint complaint, std::string peer) override;

  private:
    StorageThread& storage_;
    SlowedSenders& slowed_;
};

}  // namespace queue
