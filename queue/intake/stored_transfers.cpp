#include "queue/intake/stored_transfers.hpp"

namespace queue {

base::Task<base::Result<std::vector<KnownTransfer>>> StoredTransfers::find(
    std::vector<TransferKey> keys, bool with_class) {
    FindTransfers find{std::move(keys), with_class};
    auto answer = co_await storage_.read(std::move(find));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::open(Opening opening) {
    OpenTransfer open{std::move(opening)};
    auto answer = co_await storage_.write(std::move(open));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::add(Piece piece) {
    const std::size_t bytes = piece.bytes.size();
    AddPiece add{std::move(piece)};
    auto answer = co_await storage_.write(std::move(add), bytes);
    co_return answer;
}

base::Task<base::Result<TransferBook::Complete>> StoredTransfers::content(TransferKey key,
                                                                          std::string peer) {
    ReadTransfer read{std::move(key), std::move(peer)};
    auto answer = co_await storage_.read(std::move(read));
    co_return answer;
}

base::Task<base::Result<Committed<KnownTransfer>>> StoredTransfers::call_back(Recall recall) {
    CallTransferBack call_back{std::move(recall)};
    auto answer = co_await storage_.write(std::move(call_back));
    co_return answer;
}

}  // namespace queue
