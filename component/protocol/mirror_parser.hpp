// MirrorParser: <mirror/>, which asks how a component is seen, and <mirrored/>, which says so.
//
// Tested by tests/unit/component/protocol/mirror_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <optional>
#include <set>
#include <span>

namespace component {

class MirrorParser final : public ElementParser<MirrorParser> {
  public:
    static std::span<const PayloadElement<MirrorParser>> elements();
    TransferPayload result() { return std::move(value_); }

  private:
    void start_mirror(const PayloadAttributes& attributes);
    void start_asked(const PayloadAttributes& attributes);
    void end_mirror();
    void start_mirrored(const PayloadAttributes& attributes);
    void start_seen(const PayloadAttributes& attributes);
    /// Nothing if anything is wrong.
    std::optional<mail::Domain> read_name(const PayloadAttributes& attributes);

    std::set<mail::Domain> names_;
    TransferPayload value_;
};

}  // namespace component
