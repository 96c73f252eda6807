// BatchParser: <transfers/>, messages as a whole, and the block with their contents.
//
// Bounded by base/limits.hpp, and the block by the reader's bound on the stanza.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/envelope_parser.hpp"

#include <set>
#include <span>
#include <string_view>

namespace component {

class BatchParser final : public ElementParser<BatchParser, EnvelopeParser> {
  public:
    BatchParser();
    static std::span<const PayloadElement<BatchParser>> elements();
    TransferPayload result() { return std::move(batch_); }

  private:
    void start_batch(const PayloadAttributes& attributes);
    void end_batch();
    void start_transfer(const PayloadAttributes& attributes);
    void end_transfer();
    void start_content(const PayloadAttributes& attributes);
    void start_block(const PayloadAttributes& attributes);
    void block_text(std::string_view text) { batch_.block += text; }

    std::set<queue::TransferKey> keys_;
    bool block_seen_ = false;
    IncomingBatch batch_;
};

}  // namespace component
