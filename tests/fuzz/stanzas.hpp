// For the targets that read XML: a stream's header, stanzas behind it, and payloads as text, so
// that they can be compared.
#pragma once

#include "component/protocol/mirror_codec.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/stream/xml_reader.hpp"
#include "fuzz/fuzz.hpp"

#include <string>
#include <vector>

namespace fuzz {

inline constexpr std::string_view kOpening =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' "
    "xmlns:stream='http://etherx.jabber.org/streams' id='s1'>";

/// The stanzas in `xml`, up to its first mistake.
inline std::vector<component::XmlEvent> read_stanzas(std::string_view xml) {
    component::XmlReader reader;
    check(reader.parse(kOpening).has_value(), "the stream's header is taken");
    (void)reader.take_events();
    (void)reader.parse(xml);
    return reader.take_events();
}

/// `payload` in an IQ of that type.
inline std::vector<component::XmlEvent> read_iq(std::string_view type, std::string_view payload) {
    std::string iq = "<iq id='q1' from='mail.a.test' to='mail.b.test' type='";
    iq.append(type).append("'>").append(payload).append("</iq>");
    return read_stanzas(iq);
}

inline std::string describe(const component::Malformed& malformed) {
    return "malformed: " + malformed.why;
}
inline std::string describe(const component::IncomingBatch& batch) {
    std::string text = batch.deflated ? "deflated" : "plain";
    text += ' ' + std::to_string(batch.block_size) + ' ' + batch.block;
    for (const auto& transfer : batch.transfers) {
        text += '\n' + transfer.key.domain.ascii() + ' ' + transfer.key.id + ' ' +
                std::to_string(transfer.offset) + ' ';
        for (const auto byte : component::digest_of(transfer))
            text += static_cast<char>(byte);
    }
    return text;
}
inline std::string describe(const component::Verdicts& verdicts) {
    return component::encode_verdicts(verdicts, base::limits::kStatusText);
}
inline std::string describe(const component::IncomingOpen& open) {
    const auto digest = component::digest_of(open.transfer);
    return open.transfer.key.id + ' ' + std::string(digest.begin(), digest.end());
}
inline std::string describe(const component::IncomingChunk& chunk) {
    return chunk.key.id + ' ' + std::to_string(chunk.offset) + ' ' + std::to_string(chunk.size) +
           (chunk.deflated ? " deflated " : " plain ") + chunk.block;
}
inline std::string describe(const component::IncomingCommit& commit) {
    return component::encode_commit(commit.key);
}
inline std::string describe(const component::IncomingStatus& status) {
    return component::encode_status(status.key, status.digest);
}
inline std::string describe(const component::IncomingReport& incoming) {
    return queue::encode(incoming.report);
}
inline std::string describe(const component::IncomingComplaint& incoming) {
    return component::encode_complaint(incoming.complaint);
}
inline std::string describe(const component::IncomingMirror& mirror) {
    return component::encode_mirror(mirror.domains);
}
inline std::string describe(const component::Mirrored& mirrored) {
    return component::encode_mirrored(mirrored);
}
inline std::string describe(const component::IncomingAbort& abort) {
    return component::encode_abort(abort.key, abort.expires, abort.digest);
}
inline std::string describe(const component::Ack& ack) {
    return component::encode_ack(ack);
}
inline std::string describe(const component::TransferPayload& payload) {
    return std::to_string(payload.index()) + ' ' +
           std::visit([](const auto& value) { return describe(value); }, payload);
}

}  // namespace fuzz
