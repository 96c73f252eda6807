// Stands in for the storage thread, which alone can say that something is committed. Never together
// with queue/ledger/storage_thread.hpp.
#pragma once

#include "queue/ports.hpp"

namespace queue {

class StorageThread {
  public:
    template <class T>
    static Committed<T> commit_for_test(T value) {
        return Committed<T>(std::move(value));
    }
};

}  // namespace queue
