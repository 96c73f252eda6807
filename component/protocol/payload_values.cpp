#include "component/protocol/payload_values.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/protocol/block_codec.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kShortestId = 8;  // characters; the schema's idType

bool is_id(std::string_view id) {
    const auto good = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
    return id.size() >= kShortestId && id.size() <= base::limits::kTransferId &&
           std::ranges::all_of(id, good);
}

}  // namespace

std::optional<mail::Domain> read_domain(const PayloadAttributes& attributes,
                                        std::string_view name) {
    const auto text = attributes.required(name);
    auto domain = mail::Domain::parse(text);
    if (!domain || domain->ascii() != text || domain->is_address_literal())
        attributes.fail("the domain is not in lower-case A-labels");
    if (attributes.failed()) return std::nullopt;
    return std::move(*domain);
}

std::optional<queue::TransferKey> read_key(const PayloadAttributes& attributes) {
    const auto id = attributes.required("id");
    if (!is_id(id)) attributes.fail("the id is not one");
    auto domain = read_domain(attributes, "domain");
    if (!domain) return std::nullopt;
    return queue::TransferKey{std::move(*domain), std::string(id)};
}

base::TimePoint read_expires(const PayloadAttributes& attributes) {
    const auto expires = attributes.required("expires");
    const auto time = base::parse_datetime(expires);
    if (time && base::to_datetime(*time) == expires) return *time;
    attributes.fail("expires is not a UTC time in whole seconds");
    return {};
}

std::optional<mail::Sha256> read_digest(const PayloadAttributes& attributes) {
    const auto text = attributes.find("digest");
    if (!text) return std::nullopt;
    const auto digest = parse_sha256(*text);
    if (!digest) attributes.fail("the digest is not 32 bytes in base64");
    return digest;
}

Encoding read_encoding(const PayloadAttributes& attributes) {
    const auto encoding = attributes.required("enc");
    if (encoding != "deflate" && encoding != "none")
        attributes.fail("the encoding is neither deflate nor none");
    return {encoding == "deflate", attributes.number("size", base::limits::kBlock)};
}

std::optional<mail::Sha256> parse_sha256(std::string_view text) {
    const auto bytes = text.size() == kHashText ? base64_decode(text) : std::string();
    mail::Sha256 hash{};
    if (!bytes || bytes->size() != hash.size()) return std::nullopt;
    std::ranges::transform(*bytes, hash.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    return hash;
}

void add_reply_text(std::string& all, std::string_view more) {
    all += more.substr(0, std::min(more.size(), 2 * base::limits::kStatusText - all.size()));
}

}  // namespace component
