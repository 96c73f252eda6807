// Complaint: a mail that came over XMPP is spam for one who got it, as their domain tells the
// domain that it came from (protocol, "Complaints"); and the port by which it is taken there.
//
// Plain values, and a pure rule. A batch waits in the queue as the content of a message of
// Lane::report. The port is called and answered on the event loop.
//
// Tested by tests/unit/queue/complaint_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "mail/address.hpp"
#include "queue/transfer_key.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace queue {

/// How long after a transfer it may be complained of.
inline constexpr auto kComplaintTime = std::chrono::hours(24 * 30);

/// Nothing in it names a recipient, beyond what the key does.
struct Complaint {
    TransferKey key;
    bool is_spam = true;  ///< false: it is not after all
    bool operator==(const Complaint&) const = default;
};

/// As they wait in the queue: lines of text.
std::string encode(const std::vector<Complaint>& complaints);
/// What encode() has written, and no other thing that waits there.
bool is_complaints(std::string_view text);
/// Errc::storage for what encode() did not write.
base::Result<std::vector<Complaint>> decode_complaints(std::string_view text);

/// What of that counts: of so many days.
inline constexpr int kSlowDays = 7;

/// What a domain has said against a sender of ours.
struct SenderComplaints {
    std::string sender;  ///< as sender_name() has it
    std::string domain;
    std::int64_t days = 0;        ///< of the last kSlowDays with complaints
    std::int64_t complaints = 0;  ///< on as many mails, on these days
    bool operator==(const SenderComplaints&) const = default;
};

/// The pause behind each recipient at a domain that has complained of the sender on so many `days`
/// of the last kSlowDays: five minutes, and twice that for each day more, up to an hour.
std::chrono::milliseconds pause_after_complaints(std::int64_t days);

/// When complaints are told, and whom of ours.
struct ComplaintPlan {
    std::chrono::milliseconds period = std::chrono::hours(24);
    std::optional<mail::Mailbox> abuse_address{};  ///< nothing: abuse@ the sender's domain
};

/// What peers complain of.
class ComplaintBook {
  public:
    virtual ~ComplaintBook() = default;
    /// Counts it against our own sender, once. A repetition changes nothing. Errc::not_found (no
    /// transfer of ours, or not any more), Errc::refused (the transfer went to another component
    /// than `peer`), Errc::busy (its organisation has complained often enough today),
    /// Errc::storage.
    virtual base::Task<base::Result<void>> take(Complaint complaint, std::string peer) = 0;
};

}  // namespace queue
