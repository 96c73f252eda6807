#include "queue/intake/stored_transfers.hpp"

#include "queue/intake/verdicts.hpp"

namespace queue {

base::Task<base::Result<std::vector<KnownTransfer>>> StoredTransfers::find(
    std::vector<TransferKey> keys) {
    using Found = std::vector<KnownTransfer>;
    std::function<base::Result<Found>(Store&)> look = [keys = std::move(keys)](Store& store) {
        Found found;
        for (const TransferKey& key : keys)
            found.push_back(find_transfer(store, key));
        return base::Result<Found>(std::move(found));
    };
    base::Result<Found> answer = co_await storage_.read<Found>(std::move(look));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::open(Opening opening) {
    std::function<base::Result<KnownTransfer>(Store&)> operation =
        [opening = std::move(opening)](Store& store) { return open_transfer(store, opening); };
    auto answer = co_await storage_.write<KnownTransfer>(std::move(operation));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::add(Piece piece) {
    const std::size_t bytes = piece.bytes.size();
    std::function<base::Result<KnownTransfer>(Store&)> operation =
        [piece = std::move(piece)](Store& store) { return add_piece(store, piece); };
    auto answer = co_await storage_.write<KnownTransfer>(std::move(operation), bytes);
    co_return answer;
}

base::Task<base::Result<TransferBook::Complete>> StoredTransfers::content(TransferKey key,
                                                                          std::string peer) {
    std::function<base::Result<Complete>(Store&)> look = [key = std::move(key),
                                                          peer = std::move(peer)](Store& store) {
        return complete_content(store, key, peer);
    };
    base::Result<Complete> answer = co_await storage_.read<Complete>(std::move(look));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::call_back(Recall recall) {
    std::function<base::Result<KnownTransfer>(Store&)> operation =
        [recall = std::move(recall)](Store& store) { return call_transfer_back(store, recall); };
    auto answer = co_await storage_.write<KnownTransfer>(std::move(operation));
    co_return answer;
}

}  // namespace queue
