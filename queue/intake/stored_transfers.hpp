// StoredTransfers: the TransferBook on the store's disk. Event loop.
//
// Tested by tests/faults/faults.py and tests/e2e/test_large.py.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

namespace queue {

class StoredTransfers final : public TransferBook {
  public:
    explicit StoredTransfers(StorageThread& storage) : storage_(storage) {}

    base::Task<base::Result<std::vector<KnownTransfer>>> find(std::vector<TransferKey> keys,
                                                              bool with_class) override;
    base::Task<base::Result<Committed<KnownTransfer>>> open(Opening opening) override;
    base::Task<base::Result<Committed<KnownTransfer>>> add(Piece piece) override;
    base::Task<base::Result<Complete>> content(TransferKey key, std::string peer) override;
    base::Task<base::Result<Committed<KnownTransfer>>> call_back(Recall recall) override;

  private:
    StorageThread& storage_;
};

}  // namespace queue
