// Operations on what is known of peers' transfers, and of what peers say of ours.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger).
//
// Tested by tests/unit/queue/sqlite/intake/verdicts_test.cpp.
#pragma once

#include "queue/due_now.hpp"
#include "queue/ports.hpp"

#include <string>
#include <vector>

namespace queue {

/// These are TransferBook's, with its errors; each may be repeated.
struct FindTransfers {
    using Answer = std::vector<KnownTransfer>;
    std::vector<TransferKey> keys;
    bool with_class = false;
};
struct OpenTransfer {
    using Answer = KnownTransfer;
    Opening opening;
};
struct AddPiece {
    using Answer = KnownTransfer;
    Piece piece;
};
struct ReadTransfer {
    using Answer = TransferBook::Complete;
    TransferKey key;
    std::string peer;
};
struct CallTransferBack {
    using Answer = KnownTransfer;
    Recall recall;
};

/// ReportBook's, with its errors: the report, and what our own user is told of it. A repetition
/// changes nothing.
struct TakeReport {
    using Answer = DueNow;
    PeerReport report;
    std::string peer;
};

}  // namespace queue
