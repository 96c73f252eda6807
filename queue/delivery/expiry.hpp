// Expiry: when mail whose time is up has had its last try. Nothing is given up without one, however
// long it was held or this host was off. Pure.
//
// Tested by tests/unit/queue/delivery/settling_test.cpp and
// tests/unit/queue/delivery/expiry_test.cpp.
#pragma once

#include "queue/moment.hpp"
#include "queue/ports.hpp"

namespace queue {

/// Whether what was found out at `found`, for `why`, ends mail whose time is up at `expires`: a try
/// made after that. Silence right after the start is none, as our own links, name servers and MTA
/// may not be up yet; nor is what says that nothing was tried, nor anything while the clock is not
/// believed.
bool was_last_try(const Deferred& why, base::TimePoint found, base::TimePoint expires,
                  const Moment& moment);

/// The same of a reason for which all of a destination waits. Such may be a fault of ours that
/// lasts, during which nothing can be tried: then mail is given up one longest retry after its time
/// was up, or after the start.
bool ends_with_destination(const Deferred& why, base::TimePoint found, base::TimePoint expires,
                           const Moment& moment);

}  // namespace queue
