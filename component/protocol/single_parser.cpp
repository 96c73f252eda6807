#include "component/protocol/single_parser.hpp"

#include "component/protocol/payload_values.hpp"

namespace component {

std::span<const PayloadElement<SingleParser>> SingleParser::elements() {
    using P = SingleParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "chunk", &P::start_chunk, &P::chunk_text},
        {"", "commit", &P::start_commit},
        {"", "status", &P::start_status},
        {"", "abort", &P::start_abort},
        {"", "complaint", &P::start_complaint},
        {"", "ack", &P::start_ack},
    };
    return kElements;
}

void SingleParser::start_chunk(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "off", "size", "enc"});
    auto key = read_key(attributes);
    const Encoding encoding = read_encoding(attributes);
    const auto offset = attributes.number("off", kOctetsType);
    if (encoding.size == 0) fail("the chunk is empty");
    if (key) value_ = IncomingChunk{std::move(*key), offset, encoding.size, encoding.deflated, {}};
}

void SingleParser::chunk_text(std::string_view text) {
    std::get<IncomingChunk>(value_).block += text;
}

void SingleParser::start_commit(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain"});
    if (auto key = read_key(attributes)) value_ = IncomingCommit{std::move(*key)};
}

void SingleParser::start_status(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "digest"});
    auto key = read_key(attributes);
    if (key) value_ = IncomingStatus{std::move(*key), read_digest(attributes)};
}

void SingleParser::start_abort(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "expires", "digest"});
    auto key = read_key(attributes);
    const base::TimePoint expires = read_expires(attributes);
    if (key) value_ = IncomingAbort{std::move(*key), expires, read_digest(attributes)};
}

void SingleParser::start_complaint(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "kind"});
    auto key = read_key(attributes);
    const auto kind = attributes.required("kind");
    if (kind != "spam" && kind != "not-spam") fail("the kind is neither spam nor not-spam");
    if (key) value_ = IncomingComplaint{{std::move(*key), kind == "spam"}};
}

void SingleParser::start_ack(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "offset"});
    auto key = read_key(attributes);
    const auto offset = attributes.number("offset", kOctetsType);
    if (key) value_ = Ack{std::move(*key), offset};
}

}  // namespace component
