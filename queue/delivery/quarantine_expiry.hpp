// Quarantine expiry: ends what is in quarantine when its time is up, as nobody has released it.
//
// Its senders are told. In steps, each in a transaction of its own. Storage thread.
#pragma once

#include "queue/store/store.hpp"
#include "queue/woken.hpp"

#include <cstdint>
#include <optional>

namespace queue {

/// One step of ending what is in quarantine and has expired.
struct QuarantineStep {
    /// A message in the order of expiry, behind which the next step goes on.
    struct Place {
        std::int64_t expires = INT64_MIN;
        std::int64_t message = 0;
    };
    Woken woken;                ///< destinations that got reports
    std::optional<Place> next;  ///< nothing: that was all
};
base::Result<QuarantineStep> expire_quarantine(Store& store,
                                               const QuarantineStep::Place& behind = {});

}  // namespace queue
