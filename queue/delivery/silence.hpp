// Silence: nobody at the next hop was heard, and so a destination waits as a whole.
//
// Tested by tests/unit/queue/delivery/expiry_test.cpp.
#pragma once

#include "queue/ledger/delivery.hpp"

namespace queue {

inline bool is_silence(const Deferred& why) {
    return !why.settled && why.reply.status.subject == 4;
}

}  // namespace queue
