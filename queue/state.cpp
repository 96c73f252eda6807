#include "queue/state.hpp"

namespace queue {

const char* to_text(State state) {
    switch (state) {
        case State::queued:
            return "queued";
        case State::leased:
            return "leased";
        case State::deferred:
            return "deferred";
        case State::held:
            return "held";
        case State::delivered:
            return "delivered";
        case State::relayed:
            return "relayed";
        case State::bounced:
            return "bounced";
        case State::expired:
            return "expired";
        case State::discarded:
            return "discarded";
    }
    return "unknown";
}

}  // namespace queue
