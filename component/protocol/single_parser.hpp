// SingleParser: payloads that are one element about one transfer: <chunk/>, <commit/>, <status/>,
// <abort/>, <complaint/> and <ack/>.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <span>
#include <string_view>

namespace component {

class SingleParser final : public ElementParser<SingleParser> {
  public:
    static std::span<const PayloadElement<SingleParser>> elements();
    TransferPayload result() { return std::move(value_); }

  private:
    void start_chunk(const PayloadAttributes& attributes);
    void chunk_text(std::string_view text);
    void start_commit(const PayloadAttributes& attributes);
    void start_status(const PayloadAttributes& attributes);
    void start_abort(const PayloadAttributes& attributes);
    void start_complaint(const PayloadAttributes& attributes);
    void start_ack(const PayloadAttributes& attributes);

    TransferPayload value_;
};

}  // namespace component
