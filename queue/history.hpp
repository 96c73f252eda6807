// History: what an operator asks: what waits and why, and what became of a message. Storage thread.
#pragma once

#include "queue/ports.hpp"
#include "queue/store.hpp"

#include <string>
#include <vector>

namespace queue {

/// One recipient that has not ended.
struct ListedRecipient {
    QueueId id;
    base::TimePoint received_at;
    std::string sender;
    std::string address;
    std::size_t size = 0;
    State state = State::queued;
    Destination destination;
    int attempts = 0;
    base::TimePoint due;
    std::string reply;  ///< the last, as `451 4.4.1 text`; empty before the first try
};
/// The oldest first; at most limits::kListed.
std::vector<ListedRecipient> list_waiting(Store& store);

struct Step {
    base::TimePoint at;
    std::string what;       ///< `received`, `sent`, `deferred`, `delivered`, ...
    std::string recipient;  ///< empty if it is about the message
    std::string detail;
};
struct TracedMessage {
    QueueId id;
    std::string sender;
    std::string message_id;
    std::size_t size = 0;
    std::vector<Step> steps;  ///< in order of time
};
/// The messages that `name` names: a queue id, the id of a transfer in or out, or a Message-ID
/// (with or without angle brackets). The newest first, at most 20.
base::Result<std::vector<TracedMessage>> trace(Store& store, const std::string& name);

struct Health {
    std::int64_t waiting = 0;               ///< recipients that are queued or deferred
    std::optional<base::TimePoint> oldest;  ///< arrival of the oldest message that waits
};
Health health(Store& store);

/// Removes messages that ended longer ago than the history is kept, and verdicts that no transfer
/// can ask for any more; a bounded number at once. Returns how many messages went.
base::Result<int> prune(Store& store);

}  // namespace queue
