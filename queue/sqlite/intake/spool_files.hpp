// SpoolFiles: the files of messages that are too large for memory, while they come in. Storage
// thread.
//
// Tested by tests/unit/queue/intake/queue_spool_test.cpp.
#pragma once

#include "queue/content.hpp"
#include "queue/sqlite/store/store.hpp"

#include <string_view>

namespace queue {

/// As the operations of queue/ledger/intake say.
base::Result<QueueId> create_spool(Store& store);
base::Result<std::size_t> append_to_spool(Store& store, QueueId file, std::size_t offset,
                                          std::string_view bytes);
base::Result<Content> read_spool(Store& store, QueueId file, std::size_t size);

}  // namespace queue
