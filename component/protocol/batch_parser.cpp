#include "component/protocol/batch_parser.hpp"

#include "base/limits.hpp"
#include "component/protocol/payload_values.hpp"

namespace component {

BatchParser::BatchParser() : ElementParser(base::limits::kBlock) {}

std::span<const PayloadElement<BatchParser>> BatchParser::elements() {
    using P = BatchParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "transfers", &P::start_batch, nullptr, &P::end_batch},
        {"transfers", "transfer", &P::start_transfer, nullptr, &P::end_transfer},
        {"transfer", "envelope", &P::start_envelope},
        {"envelope", "from", &P::start_from},
        {"envelope", "rcpt", &P::start_recipient},
        {"transfer", "hash", &P::start_hash, &P::hash_text, &P::end_hash, ns::kHashes},
        {"transfer", "content", &P::start_content},
        {"transfers", "block", &P::start_block, &P::block_text},
    };
    return kElements;
}

void BatchParser::start_batch(const PayloadAttributes& attributes) {
    attributes.only({});
}

void BatchParser::start_transfer(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain"});
    draft_ = Draft();
    draft_.key = read_key(attributes);
    if (draft_.key && !keys_.insert(*draft_.key).second) fail("two transfers have the same key");
    if (block_seen_) fail("a transfer stands behind the block");
    if (batch_.transfers.size() >= base::limits::kBatch) fail("too many transfers");
}

void BatchParser::start_content(const PayloadAttributes& attributes) {
    attributes.only({"off", "size"});
    if (draft_.offset) fail("there are two slices");
    draft_.offset = attributes.number("off", base::limits::kBlock);
    draft_.size = attributes.number("size", base::limits::kBlock);
}

void BatchParser::start_block(const PayloadAttributes& attributes) {
    attributes.only({"enc", "size"});
    if (std::exchange(block_seen_, true)) fail("there are two blocks");
    const Encoding encoding = read_encoding(attributes);
    batch_.deflated = encoding.deflated;
    batch_.block_size = encoding.size;
}

void BatchParser::end_transfer() {
    if (!is_complete()) return;
    if (!draft_.offset) return fail("a transfer has no slice");
    if (*draft_.stated_size != draft_.size)
        return fail("the size of the envelope is not that of the slice");
    const auto& before = batch_.transfers;
    const std::size_t expected = before.empty() ? 0 : before.back().offset + before.back().size;
    if (*draft_.offset != expected) return fail("the slices do not follow each other");
    batch_.transfers.push_back({std::move(*draft_.key), std::move(draft_.envelope), draft_.expires,
                                *draft_.hash, *draft_.offset, draft_.size});
}

void BatchParser::end_batch() {
    if (batch_.transfers.empty()) return fail("there is no transfer");
    if (!block_seen_) return fail("there is no block");
    const auto& last = batch_.transfers.back();
    if (last.offset + last.size != batch_.block_size) fail("the slices do not fill the block");
}

}  // namespace component
