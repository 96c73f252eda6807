// StoredPeers: the KnownPeers on the store's disk. Event loop.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

namespace queue {

class StoredPeers final : public KnownPeers {
  public:
    explicit StoredPeers(StorageThread& storage) : storage_(storage) {}

    base::Task<base::Result<std::vector<KnownPeer>>> load(std::optional<mail::Domain> after,
                                                          std::size_t most) override;
    base::Task<base::Result<void>> remember(KnownPeer peer) override;
    base::Task<base::Result<void>> forget(std::vector<mail::Domain> domains) override;

  private:
    StorageThread& storage_;
};

}  // namespace queue
