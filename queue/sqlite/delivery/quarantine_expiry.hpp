// Quarantine expiry: ends what is in quarantine when its time is up, as nobody has released it.
//
// Its senders are told. In steps, each in a transaction of its own. Storage thread.
#pragma once

#include "queue/ledger/administration.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

base::Result<QuarantineStep> expire_quarantine(Store& store,
                                               const QuarantineStep::Place& behind = {});

}  // namespace queue
