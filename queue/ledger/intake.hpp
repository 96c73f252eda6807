// Operations of the doors: mail comes in, whole or by a file of the spool.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger).
//
// Tested by tests/unit/queue/sqlite/sqlite_ledger_test.cpp and
// tests/unit/queue/intake/queue_spool_test.cpp.
#pragma once

#include "queue/ports.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace queue {

struct Nothing {};

/// Stores a message with its recipients, and with its transfer's verdict if it has one, or finds
/// that the transfer was here before; what its lane can't carry goes another way at once. Errors as
/// Intake::accept_all() says.
struct Accept {
    using Answer = Receipt;
    std::shared_ptr<const Arrival> arrival;
};

/// An empty file of the spool, with room kept for the first of it. Errc::storage.
struct CreateSpool {
    using Answer = QueueId;
};
/// Puts `bytes` at `offset`; the end of the file. Errc::storage.
struct AppendToSpool {
    using Answer = std::size_t;
    QueueId file;
    std::size_t offset = 0;
    std::string bytes;
};
/// The first `size` bytes of it. Errc::storage.
struct ReadSpool {
    using Answer = Content;
    QueueId file;
    std::size_t size = 0;
};
/// Unless a message has taken it.
struct RemoveSpool {
    using Answer = Nothing;
    QueueId file;
};

}  // namespace queue
