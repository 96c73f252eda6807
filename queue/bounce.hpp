// Bounce: tells somebody of a failure: the sender, by a report, if they are ours; else our own
// postmaster. Packetboat itself sends no report to another domain by itself (no backscatter).
// Storage thread.
#pragma once

#include "mail/report.hpp"
#include "queue/rows.hpp"

#include <optional>
#include <vector>

namespace queue {

struct FailedRecipient {
    mail::ReportedRecipient reported;
    mail::Notify notify;
};

/// Stores the report on those of `failed` that the sender wants to hear of, in the running
/// transaction. Returns where it goes; nothing when nobody is to be told.
base::Result<std::optional<Destination>> add_bounce(Store& store, const MessageRow& message,
                                                    const std::vector<FailedRecipient>& failed);

}  // namespace queue
