// StoredReports: the queue's ReportBook, kept in the store.
//
// Event loop; the work is done on the storage thread.
//
// Tested by tests/e2e/test_reports.py.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

#include <functional>

namespace queue {

class StoredReports final : public ReportBook {
  public:
    /// `arrived` is told of each destination that gets a report for a user of ours. `storage`
    /// outlives it.
    StoredReports(StorageThread& storage, std::function<void(const Destination&)> arrived)
        : storage_(storage), arrived_(std::move(arrived)) {}

    base::Task<base::Result<void>> take(PeerReport report, std::string peer) override;

  private:
    StorageThread& storage_;
    std::function<void(const Destination&)> arrived_;
};

}  // namespace queue
