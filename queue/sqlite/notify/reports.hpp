// Reports: who is told what became of a recipient, and how: our own sender by a message (RFC 3464),
// a peer's by a report to the component that the mail came from, our postmaster where nobody else
// can be.
//
// Packetboat sends no report by mail to another domain (no backscatter). Each report is a message
// like any other, stored in the transaction that makes it true. Storage thread.
#pragma once

#include "mail/report.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <optional>
#include <vector>

namespace queue {

/// What became of one recipient.
struct Notification {
    std::uint32_t n = 0;
    mail::ReportedRecipient reported;
    mail::Notify notify;
};

/// Stores the report on those of `notifications` that the sender wants to hear of (RFC 3461 4.1),
/// in the running transaction. Returns where it goes; nothing when nobody is to be told.
base::Result<std::optional<Destination>> add_report(Store& store, const MessageRow& message,
                                                    const std::vector<Notification>& notifications);

/// `message` is a report to a peer that could not be delivered, for the reason that stands in
/// `failure`: our postmaster is told in its stead.
base::Result<std::optional<Destination>> add_undelivered_report(Store& store,
                                                                const MessageRow& message,
                                                                const Notification& failure);

/// Tells our postmaster that `message` is held for what its next hop has said. `addresses`: of
/// those recipients that are.
base::Result<std::optional<Destination>> add_held_report(Store& store, const MessageRow& message,
                                                         const std::vector<std::string>& addresses,
                                                         const Held& held);

/// Tells our postmaster that `message` can't be read any more. `addresses`: of its recipients.
base::Result<std::optional<Destination>> add_damage_report(
    Store& store, const MessageRow& message, const std::vector<std::string>& addresses,
    const std::string& why);

}  // namespace queue
