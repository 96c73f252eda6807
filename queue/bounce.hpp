// Bounce: tells somebody of a failure: the sender, by a report, if they are ours; else our own
// postmaster. Packetboat itself sends no report to another domain by itself (no backscatter).
// Storage thread.
#pragma once

#include "mail/report.hpp"
#include "queue/rows.hpp"

#include <optional>
#include <vector>

namespace queue {

/// Stores the report on `failed` recipients of `message`, in the running transaction. Returns where
/// it goes; nothing when nobody is to be told (NOTIFY=NEVER, or a report that failed itself).
base::Result<std::optional<Destination>> add_bounce(
    Store& store, const MessageRow& message, const std::vector<mail::ReportedRecipient>& failed,
    const std::vector<mail::Notify>& wishes);

}  // namespace queue
