// Rows: how mail values are kept in columns. Storage thread.
//
// Tested by tests/unit/queue/sqlite/delivery/settlement_test.cpp and
// tests/unit/queue/sqlite/delivery/leases_test.cpp.
#pragma once

#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

#include <functional>

namespace queue {

int notify_bits(const mail::Notify& notify);
mail::Notify notify_from_bits(std::int64_t bits);

/// A row of `message`, without its recipients.
struct MessageRow {
    QueueId id;
    mail::Envelope envelope;
    Origin origin;
    base::TimePoint received_at;
    base::TimePoint expires_at;
    std::size_t size = 0;
    std::size_t header_size = 0;  ///< of `size`: what a report returns
    int pending = 0;              ///< recipients that have not ended
    int crashes = 0;              ///< queue/sqlite/delivery/crashes.hpp
};
/// Errc::damaged if there is no such row, or it can't be read as what it was written as.
base::Result<MessageRow> read_message(Database& database, QueueId id);
inline base::Result<MessageRow> read_message(Store& store, QueueId id) {
    return read_message(store.database(), id);
}

/// Errc::damaged if it is gone or has another size, Errc::storage if the disk fails.
base::Result<Content> read_content(Store& store, QueueId id, std::size_t size);
/// Here and now: the first `most` bytes of it, or as many as there are. Errors as above.
base::Result<mail::Content> read_beginning(Store& store, QueueId id, std::size_t size,
                                           std::size_t most);
/// All of it, in pieces. Errors as above.
base::Result<void> read_through(Store& store, QueueId id, std::size_t size,
                                const std::function<void(std::string_view)>& take);

/// Errc::damaged if `address` can't be read any more.
base::Result<mail::Recipient> to_recipient(std::int64_t n, const std::string& address,
                                           std::int64_t notify, std::string orcpt);

/// Errc::damaged if one of these recipients can't be read any more; those that are gone don't
/// count.
base::Result<void> check_recipients(Store& store, QueueId message,
                                    const std::vector<std::uint32_t>& recipients);

/// Whether a stanza of the transfer that this recipient has been given to may have left.
bool was_sent(Store& store, QueueId message, std::uint32_t n);

/// What the last try of this recipient said; that none was made, if so.
Deferred last_word(Store& store, QueueId message, std::uint32_t n);

/// Adds a line to the history of a message.
void add_event(Store& store, QueueId message, std::optional<std::uint32_t> n, const char* what,
               const std::string& detail);

}  // namespace queue
