// Complaint rows: which mail may be complained of, for 30 days: what peers have sent, where
// complaints are sent, and what peers have taken, where they are taken. Bounded, by organisation
// and in all; the oldest goes first.
//
// Storage thread, in the transaction of what they are about.
//
// Tested by tests/unit/queue/sqlite/store/complaint_rows_test.cpp.
#pragma once

#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace queue {

/// Rows of each kind: some hundred megabytes.
inline constexpr std::int64_t kComplaintRows = 1'000'000;
/// Transfers of one organisation that are kept on a day.
inline constexpr std::int64_t kKeptOfOrganisation = 20'000;

/// 8 octets that stand for `text` in the rows of this transfer, and for nothing in others.
std::string complaint_tag(const TransferKey& key, std::string_view text);
/// The same of an address, in whatever spelling: local parts differ by more than their case.
std::string complaint_tag_of(const TransferKey& key, const mail::Mailbox& mailbox);
std::string complaint_tag_of_address(const TransferKey& key, std::string_view address);

/// A mail has come by a transfer; nothing if complaints are not sent.
void keep_received(Store& store, const Arrival& arrival);
/// Recipient `n` of `message`, from `sender` to somebody at `towards`, was taken by a peer; nothing
/// if complaints are not taken.
void keep_sent(Store& store, QueueId message, std::uint32_t n, std::string_view sender,
               const std::string& towards);

/// A step: takes away what nobody may complain of any more, and what is beyond the bounds. At most
/// limits::kPruned of each kind; how many of that of which it found most.
int prune_complaints(Store& store);

}  // namespace queue
