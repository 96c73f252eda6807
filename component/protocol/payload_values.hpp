// Payload values: what stands in attributes of more than one payload of the transfer protocol, read
// strictly.
//
// Pure. What is wrong is told to the attributes' reason; what is returned then means nothing.
//
// Tested by tests/unit/component/protocol/transfer_codec_test.cpp and tests/fuzz/transfer.cpp.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/payload_attributes.hpp"
#include "mail/content.hpp"
#include "queue/ports.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace component {

inline constexpr std::uint64_t kOctetsType = std::uint64_t(1) << 40;  ///< the schema's octetsType
/// The largest number of a recipient, and of a report; the schema's numberType.
inline constexpr std::uint64_t kNumberType = 65535;
inline constexpr std::size_t kHashText = 44;  ///< base64 of 32 bytes

/// A domain in lower-case A-labels, which is no address literal; nothing if anything was wrong
/// before or is with it.
std::optional<mail::Domain> read_domain(const PayloadAttributes& attributes, std::string_view name);
/// `id` and `domain`; nothing if anything was wrong before or is with them.
std::optional<queue::TransferKey> read_key(const PayloadAttributes& attributes);
base::TimePoint read_expires(const PayloadAttributes& attributes);
/// Nothing if there is none.
std::optional<mail::Sha256> read_digest(const PayloadAttributes& attributes);

struct Encoding {
    bool deflated = false;
    std::size_t size = 0;  ///< of the decoded block, at most limits::kBlock
};
Encoding read_encoding(const PayloadAttributes& attributes);

std::optional<mail::Sha256> parse_sha256(std::string_view text);

/// More of the text of a recipient's line: only what will be kept; the rest of an overlong one is
/// dropped, as it decides nothing.
void add_reply_text(std::string& all, std::string_view more);

}  // namespace component
