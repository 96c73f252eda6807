// OpenParser: <open/>, a message whose content will come in pieces.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/envelope_parser.hpp"

#include <span>

namespace component {

class OpenParser final : public ElementParser<OpenParser, EnvelopeParser> {
  public:
    OpenParser();
    static std::span<const PayloadElement<OpenParser>> elements();
    TransferPayload result() { return std::move(value_); }

  private:
    void start_open(const PayloadAttributes& attributes);
    void end_open();

    TransferPayload value_;
};

}  // namespace component
