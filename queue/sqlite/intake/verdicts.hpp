// Verdicts: what a receiver knows of transfers, as rows: the verdicts that were answered, those
// that were called back, and those that are open. What the rows mean is
// queue/intake/receiving.hpp's. Storage thread.
#pragma once

#include "queue/ports.hpp"
#include "queue/sqlite/store/store.hpp"

namespace queue {

KnownTransfer find_transfer(Store& store, const TransferKey& key);
/// `transfer` has its verdict: it is not open any more.
void insert_verdict(Store& store, const ReceivedTransfer& transfer, std::optional<QueueId> message);

/// As TransferBook has them.
base::Result<KnownTransfer> open_transfer(Store& store, const Opening& opening);
base::Result<KnownTransfer> add_piece(Store& store, const Piece& piece);
base::Result<TransferBook::Complete> complete_content(Store& store, const TransferKey& key,
                                                      const std::string& peer);
base::Result<KnownTransfer> call_transfer_back(Store& store, const Recall& recall);

/// Takes away open transfers that have expired or got nothing for limits::kPartialIdle, and
/// verdicts that no sender may ask for any more: at most limits::kPruned of each. Returns how many
/// of those it found most of.
int prune_transfers(Store& store);

/// Rows of an older version do not say whose share they take: now they do. At the start.
void name_organisations(Store& store);

/// One line a recipient: `0 250 2.1.5 text`.
std::string encode_verdicts(const std::vector<RecipientVerdict>& verdicts);
/// Errc::storage for what encode_verdicts did not write.
base::Result<std::vector<RecipientVerdict>> decode_verdicts(const std::string& text);

}  // namespace queue
