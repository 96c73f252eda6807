// Retirement: which components are out of service, kept on the store's disk. Event loop.
//
// Tested by tests/e2e/test_lane_change.py.
#pragma once

#include "queue/ledger/storage_thread.hpp"

#include <set>
#include <string>

namespace queue {

class Retirement {
  public:
    explicit Retirement(StorageThread& storage) : storage_(storage) {}

    /// Errc::storage.
    base::Task<base::Result<std::set<std::string>>> load();
    base::Task<base::Result<void>> set(std::string component, bool retired);

  private:
    StorageThread& storage_;
};

}  // namespace queue
