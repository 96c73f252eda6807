// State: where a recipient is in its way through the queue.
//
// Tested by tests/unit/queue/model_test.cpp.
#pragma once

#include <cstdint>

namespace queue {

/// Every accepted recipient is in exactly one of these at all times (invariant 3). Stored as
/// numbers.
enum class State : std::uint8_t {
    queued = 1,
    leased = 2,
    deferred = 3,
    held = 4,
    delivered = 5,  ///< our own MTA took it
    relayed = 6,    ///< a peer, or SMTP, took it
    bounced = 7,
    expired = 8,
    discarded = 9,  ///< by an admin
};
const char* to_text(State state);
inline bool has_ended(State state) {
    return state >= State::delivered;
}

}  // namespace queue
