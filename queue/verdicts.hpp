// Verdicts: what was answered for a transfer, so that the same one gets the same answer (protocol
// rule 3). Storage thread.
#pragma once

#include "queue/ports.hpp"
#include "queue/store.hpp"

namespace queue {

std::optional<StoredVerdict> find_verdict(Store& store, const TransferKey& key);
void insert_verdict(Store& store, const ReceivedTransfer& transfer, std::optional<QueueId> message);

/// One line a recipient: `0 250 2.1.5 text`.
std::string encode_verdicts(const std::vector<RecipientVerdict>& verdicts);
/// Errc::storage for what encode_verdicts did not write.
base::Result<std::vector<RecipientVerdict>> decode_verdicts(const std::string& text);

}  // namespace queue
