// Opening: what a start does with the queue: it is repaired if it is damaged, and what the last
// process has left is put in order. Before the storage thread has it.
#pragma once

#include "queue/sqlite/store/store.hpp"

#include <memory>

namespace queue {

/// Opens the store, and puts back what was leased when the last process ended. A damaged database
/// is repaired first (queue/sqlite/recovery/repair). Errc::storage with one clear sentence:
/// unwritable, beyond repair, of a newer version, or in use by another daemon.
base::Result<std::unique_ptr<Store>> open_queue(const StoreSettings& settings, const Router& router,
                                                const base::Clock& clock, base::Random& random);

}  // namespace queue
