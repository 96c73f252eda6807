// Deferral: what becomes of all that waits of a destination, in steps: it is put off, goes another
// way, or is due again.
//
// A step looks at a bounded number of recipients, so that other requests get their turn between
// two. Whoever wants the whole asks for the next one until there is none. Storage thread.
#pragma once

#include "queue/delivery/silence.hpp"
#include "queue/sqlite/delivery/leases.hpp"
#include "queue/sqlite/delivery/waiting_rows.hpp"

#include <optional>

namespace queue {

/// Recipients that one step looks at: about a millisecond.
inline constexpr std::size_t kStepRows = 50;
/// Messages that one step gives up: each has a report to be stored ...
inline constexpr std::size_t kStepEnded = 10;
/// ... and bytes of them that their reports may return. With what SQLite writes twice, and the log
/// that it may let grow, this is far below what intake leaves free on the disk
/// (limits::kDiskReserve).
inline constexpr std::size_t kStepBytes = 2u << 20;

/// What is due of `destination` waits; what has had its last try with that is ended; what has
/// waited for its peer longer than the administrator allows goes by SMTP.
base::Result<Stepped> defer_some(Store& store, const Destination& destination,
                                 const Silence& silence, const WaitingPlace& behind = {});

/// The peer of a destination is back, or has left: what waits for that is due now.
base::Result<Stepped> wake_some(Store& store, const MakeDue& op);

/// What was never sent goes another way, for `why`: around (queue/delivery/fallback), unless
/// XMPP is required; mail of a component that is none of ours any more, by that which sends for its
/// sender now.
base::Result<RerouteStep> reroute_some(Store& store, const Destination& destination,
                                       const std::string& why, const WaitingPlace& behind = {});

}  // namespace queue
