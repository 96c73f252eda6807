// ReportParser: <report/>, what became later of recipients that a component had accepted.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

namespace component {

class ReportParser final : public ElementParser<ReportParser> {
  public:
    static std::span<const PayloadElement<ReportParser>> elements();
    TransferPayload result();

  private:
    void start_report(const PayloadAttributes& attributes);
    void end_report();
    void start_recipient(const PayloadAttributes& attributes);
    void reply_text(std::string_view text);
    void end_recipient();

    std::optional<queue::PeerReport> report_;  ///< empty only after a failure
    std::set<std::uint32_t> numbers_;
    std::size_t recipients_ = 0;
    std::string text_;  ///< of the recipient's line that is open
};

}  // namespace component
