// Questions: what people ask of the queue: how much waits, what, why, and whether all is sound.
//
// Values, and the port that answers them from a snapshot of the database, of which it changes
// nothing. On a thread of their own, the Reader's, so that no question delays mail.
//
// Tested by tests/unit/queue/sqlite/admin/operations_test.cpp and
// tests/unit/queue/ledger/reader_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "queue/destination.hpp"
#include "queue/ledger/administration.hpp"
#include "queue/ledger/complaints.hpp"
#include "queue/ledger/peer_book.hpp"
#include "queue/queue_id.hpp"
#include "queue/state.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace queue {

struct Health {
    std::int64_t waiting = 0;               ///< recipients that are queued or deferred
    std::optional<base::TimePoint> oldest;  ///< arrival of the oldest message that waits
};
/// Counts all that waits.
struct CountWaiting {
    using Reply = Health;
};

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
struct ListQueue {
    using Reply = ListPage;
    Selection selection;
    std::optional<Selected> after;
    std::size_t most = 0;
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
/// One step of `search` for what `name` means, with a bound on what it looks at.
struct GoOnSearching {
    using Reply = Search;
    std::string name;
    Search search;
};

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
/// What has become of these messages, in their order.
struct Trace {
    using Reply = std::vector<TracedMessage>;
    std::vector<QueueId> ids;
};

struct Finding {
    QueueId message;   ///< 0 if it is about no message
    std::string text;  ///< one line
};
/// What of the queue is not as it should be, while mail is being delivered: at most a thousand
/// findings; none is what one hopes for.
struct Verify {
    using Reply = std::vector<Finding>;
};

/// A page of the peer book as of `today`, in the order of the domains, behind `after` (A-labels;
/// empty: from the start). At most `most` lines; fewer: those were all.
struct ListStandings {
    using Reply = std::vector<Standing>;
    std::chrono::sys_days today;
    std::string after;
    std::size_t most = 0;
};
/// The line that mail of `domain` is counted in, with its days; nothing if there is none.
struct FindStanding {
    using Reply = std::optional<Standing>;
    std::chrono::sys_days today;
    mail::Domain domain;
};

struct BackupFacts {
    std::int64_t messages = 0;  ///< that live
    std::int64_t missing = 0;   ///< of these, contents that could not be read
    std::uintmax_t bytes = 0;   ///< of the file
};
/// Writes the whole queue as one file, which must not exist (mode 0600), while PinContents keeps
/// its contents. Errc::conflict, Errc::storage.
struct WriteBackup {
    using Reply = BackupFacts;
    std::filesystem::path file;
};

using Question = std::variant<CountWaiting, ListQueue, GoOnSearching, Trace, Verify, ListStandings,
                              FindStanding, ListComplaints, WriteBackup>;
/// Of each question the type that it calls Reply.
using Reply = std::variant<Health, ListPage, Search, std::vector<TracedMessage>,
                           std::vector<Finding>, std::vector<Standing>, std::optional<Standing>,
                           std::vector<SenderComplaints>, BackupFacts>;

class Questions {
  public:
    virtual ~Questions() = default;
    /// From one snapshot. Errc::storage for whatever goes wrong in looking; does not throw.
    virtual base::Result<Reply> answer(const Question& question) = 0;
};

}  // namespace queue
