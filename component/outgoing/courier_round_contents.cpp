// CourierRound: what is sent of the messages: their contents, and what is made of these.
#include "component/outgoing/courier_round.hpp"

#include <vector>

namespace component {
namespace {

constexpr std::size_t kStep = 256u << 10;  // bytes that are read and hashed at a time

}  // namespace

OutgoingMessage CourierRound::Item::outgoing() const {
    const queue::OutgoingTransfer& transfer = *message.transfer;
    return {transfer.key, message.envelope, message.content, transfer.expires, transfer.dsn};
}

base::Task<void> CourierRound::load(Batch& batch) {
    for (Item* const item : batch) {
        const queue::Content content = item->message.content;
        if (content.is_in_memory()) continue;
        auto bytes = co_await content.read(0, content.size());
        if (bytes)
            item->message.content = std::move(*bytes);
        else
            give(*item, queue::unreadable(bytes.error()));
    }
    std::erase_if(batch, [](const Item* item) { return item->done; });
}

base::Task<base::Result<void>> CourierRound::find_hash(Item& item) {
    if (item.hash) co_return base::Result<void>();
    const queue::Content content = item.message.content;
    mail::Sha256Stream hash;
    for (std::size_t at = 0; at < content.size(); at += kStep) {
        const auto step = co_await content.read(at, kStep);
        if (!step) co_return step.error();
        hash.add(step->bytes());
        // Others get their turn.
        co_await base::asio::post(executor_, base::asio::use_awaitable);
    }
    item.hash = hash.finish();
    co_return base::Result<void>();
}

base::Task<base::Result<std::string>> CourierRound::encode(const Peer& peer, Item& item,
                                                           Sending::Request request) {
    const auto& message = item.message;
    const auto& key = message.transfer->key;
    if (request.ask == Sending::Ask::commit) co_return encode_commit(key);
    if (request.ask == Sending::Ask::chunk) {
        const auto at = static_cast<std::size_t>(request.offset);
        const auto bytes = co_await message.content.read(at, request.size);
        if (!bytes) {
            item.unreadable = bytes.error();
            co_return bytes.error();
        }
        co_return encode_chunk(key, request.offset, bytes->bytes(), peer.deflates(), codec_);
    }
    const auto hashed = co_await find_hash(item);
    if (!hashed) {
        item.unreadable = hashed.error();
        co_return hashed.error();
    }
    if (request.ask == Sending::Ask::open) co_return encode_open(item.outgoing(), *item.hash);
    // The verdict that answers these has to be on this message.
    if (!item.digest) item.digest = digest_of(item.outgoing(), *item.hash);
    if (request.ask == Sending::Ask::abort)
        co_return encode_abort(key, abort_expiry(message.transfer->expires, peer.theirs),
                               item.digest);
    co_return encode_status(key, item.digest);
}

}  // namespace component
