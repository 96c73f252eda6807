// Operations on complaints: what people here say of mail that came over XMPP, what of that is told
// to where it came from, and what peers say of ours.
//
// Values; what each does is one atomic piece of a transaction (queue/ledger/ledger). Those that are
// steps look at a bounded number of rows.
//
// Tested by tests/unit/queue/ledger/complaints_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "mail/address.hpp"
#include "queue/complaint.hpp"
#include "queue/due_now.hpp"
#include "queue/ledger/intake.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace queue {

/// What was made of a vote.
struct Voted {
    std::string recipient;  ///< whose it is
    bool counted = false;   ///< false: they had said so before
    std::string domain;     ///< that it counts against, or for
};
/// Somebody here says that a mail is spam, or that it is not after all: counted in the peer book,
/// as a recipient's one vote on that mail, and told to its origin some day. Errc::not_found (no
/// such transfer was taken in the last 30 days, or none of `recipients` got it), Errc::refused (it
/// brought another mail than that of `message_id`), Errc::storage.
struct CastVote {
    using Answer = Voted;
    TransferKey key;
    std::string message_id;               ///< as mail::HeaderSummary has it; empty: there is none
    std::vector<std::string> recipients;  ///< one of them: the first that got it
    bool is_spam = true;
};

/// As ComplaintBook::take() says. What stands against the sender afterwards; nothing if that has
/// not changed.
struct TakeComplaint {
    using Answer = std::optional<SenderComplaints>;
    Complaint complaint;
    std::string peer;
};

/// A place in the order in which complaints are queued.
struct ComplaintPlace {
    std::string peer;
    std::string component;
    std::int64_t number = 0;
    std::size_t of_peer = 0;  ///< that were queued for it in this round
};
struct ComplaintStep {
    DueNow due_now;                      ///< destinations that have got complaints
    std::optional<ComplaintPlace> next;  ///< go on behind this; nothing: that was all
};
/// A step: complaints of until `until` go into the queue, for those of their peers whose domain is
/// known, good or trusted.
struct QueueComplaints {
    using Answer = ComplaintStep;
    base::TimePoint until;
    ComplaintPlace behind;
};

struct AbuseReports {
    DueNow due_now;
    bool more = false;  ///< there may be others: go on at once
};
/// A step: who was complained of first before `until` is reported to the abuse address (RFC 5965),
/// once a day for each sender and domain.
struct ReportComplaints {
    using Answer = AbuseReports;
    base::TimePoint until;
    std::optional<mail::Mailbox> to;  ///< nothing: abuse@ the sender's domain
};

/// Those of the last kSlowDays, the latest first: of the last `most` days with complaints of one
/// domain on one sender.
struct ListComplaints {
    using Reply = std::vector<SenderComplaints>;
    std::chrono::sys_days today;
    std::size_t most = 0;
};

}  // namespace queue
