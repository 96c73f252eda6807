// Silence: nobody at the next hop was heard, and so a destination waits as a whole.
//
// Tested by tests/unit/queue/delivery/expiry_test.cpp.
#pragma once

#include "queue/ports.hpp"

namespace queue {

inline bool is_silence(const Deferred& why) {
    return !why.settled && why.reply.status.subject == 4;
}

struct Silence {
    Deferred why;
    base::TimePoint until;  ///< it is left alone
    base::TimePoint found;  ///< when that was found out
};

}  // namespace queue
