// VerdictsParser: <verdicts/>, what a receiver knows of transfers, and has decided.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace component {

class VerdictsParser final : public ElementParser<VerdictsParser> {
  public:
    static std::span<const PayloadElement<VerdictsParser>> elements();
    TransferPayload result() { return std::move(verdicts_); }

  private:
    void start_verdicts(const PayloadAttributes& attributes);
    void start_verdict(const PayloadAttributes& attributes);
    void end_verdict();
    void start_recipient(const PayloadAttributes& attributes);
    void reply_text(std::string_view text);
    void end_recipient();

    std::set<queue::TransferKey> keys_;
    std::set<std::uint32_t> numbers_;  ///< of the verdict's recipients
    std::size_t recipients_ = 0;       ///< of all verdicts
    std::string text_;                 ///< of the recipient's line that is open
    Verdicts verdicts_;
};

}  // namespace component
