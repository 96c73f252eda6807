// Silence: why a destination waits as a whole.
#pragma once

#include "queue/ports.hpp"

namespace queue {

struct Silence {
    Deferred why;
    base::TimePoint until;  ///< it is left alone
    base::TimePoint found;  ///< when that was found out
};

}  // namespace queue
