// EnvelopeParser: what <transfers/> and <open/> have of each transfer: key, envelope and hash.
//
// Bounded by base/limits.hpp.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "component/protocol/payload_parser.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace component {

class EnvelopeParser : public PayloadParser {
  public:
    /// `most`: bytes of a content.
    explicit EnvelopeParser(std::uint64_t most) : most_(most) {}

  protected:
    /// A transfer between its tags; what has not been seen yet is empty.
    struct Draft {
        std::optional<queue::TransferKey> key;
        mail::Envelope envelope;
        std::optional<std::size_t> stated_size;  ///< set with the envelope's own attributes
        base::TimePoint expires;
        std::optional<mail::Sha256> hash;
        std::optional<std::size_t> offset;  ///< of the slice, and ...
        std::size_t size = 0;               ///< ... its size, where there is one
        bool from = false;
        std::set<std::uint32_t> numbers;
    };

    void start_envelope(const PayloadAttributes& attributes);
    void start_from(const PayloadAttributes& attributes);
    void start_recipient(const PayloadAttributes& attributes);
    void start_hash(const PayloadAttributes& attributes);
    void hash_text(std::string_view text);
    void end_hash();
    /// Fails, and is false, if something is missing.
    bool is_complete();

    Draft draft_;

  private:
    std::uint64_t most_;
    std::string hash_;            ///< its text
    std::size_t recipients_ = 0;  ///< of all transfers
};

}  // namespace component
