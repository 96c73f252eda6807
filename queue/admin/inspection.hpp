// Inspection: what an operator asks: what waits and why, and what became of a message.
//
// Only looks; on the Reader's connection, so that it delays no mail.
//
// Tested by tests/unit/queue/admin/operations_test.cpp and
// tests/unit/queue/delivery/settlement_test.cpp.
#pragma once

#include "queue/admin/selection.hpp"
#include "queue/ports.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace queue {

/// One recipient that has not ended.
struct ListedRecipient {
    QueueId id;
    std::uint32_t n = 0;
    base::TimePoint received_at;
    base::TimePoint expires_at;
    std::string sender;
    std::string address;
    std::size_t size = 0;
    State state = State::queued;
    Destination destination;
    std::string mail_class;
    std::string peer;      ///< the component that its transfer is bound to; empty if to none
    std::string transfer;  ///< the transfer's id; empty if it has none
    int sends = 0;         ///< how often a stanza of the transfer may have left
    int attempts = 0;
    base::TimePoint due;
    std::string reply;           ///< the last, as `451 4.4.1 text`; empty before the first try
    std::string damage;          ///< why it is in quarantine; empty if it is not
    bool is_unreadable = false;  ///< its message is on a damaged page of the database
};
/// A part of what a selection means, the oldest first.
struct ListPage {
    std::vector<ListedRecipient> rows;
    std::optional<Selected> next;  ///< go on behind this; nothing: that was all
};
/// At most `most`, behind `after` (nothing: from the start). A page may have fewer, or none, and be
/// followed by others: the work for each has a bound. What is on a damaged page is there, with what
/// can be read of it.
ListPage list(Database& database, const Selection& selection, const std::optional<Selected>& after,
              std::size_t most);

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
/// Looking for the messages that a name means: a queue id, the id of a transfer in or out, or a
/// Message-ID (with or without angle brackets); or the address of a sender or recipient, if nothing
/// else is called so.
struct Search {
    /// By what it goes on.
    enum class Next : std::uint8_t { id, message_id, address, nothing };

    Next next = Next::id;
    QueueId before{INT64_MAX};   ///< the messages that are older have not been looked at by that
    std::vector<QueueId> found;  ///< the newest first, at most 20
};
/// One step of it, with a bound on what it looks at.
void go_on(Database& database, const std::string& name, Search& search);

/// What has become of these messages, in their order.
std::vector<TracedMessage> trace(Database& database, const std::vector<QueueId>& ids);

}  // namespace queue
