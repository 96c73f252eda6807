// The transfer protocol: what a payload is parsed as keeps the promises of transfer.hpp; written by
// our encoder and parsed again it has the same values and the same digest; and every recipient can
// be handed to an SMTP server, as one command that means the same.
#include "base/text.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/protocol/mirror_codec.hpp"
#include "fuzz/stanzas.hpp"
#include "mail/dsn_parameters.hpp"
#include "smtp-bridge/client/envelope_commands.hpp"
#include "smtp-bridge/server/command.hpp"

#include <set>

using namespace component;
using fuzz::check;

namespace {

namespace limits = base::limits;

constexpr std::size_t kContent = 1u << 20;  // bytes of a batch that are made; more only costs time

template <class Payload>
Payload parsed_again(std::string_view type, std::string_view xml) {
    auto events = fuzz::read_iq(type, xml);
    check(events.size() == 1, "what we write is one stanza");
    auto* stanza = std::get_if<TransferStanza>(&events[0]);
    check(stanza != nullptr, "what we write is a payload of ours");
    auto* payload = std::get_if<Payload>(&stanza->payload);
    if (payload == nullptr) std::fprintf(stderr, "%s\n", fuzz::describe(stanza->payload).c_str());
    check(payload != nullptr, "what we write is well-formed, and of the same kind");
    return std::move(*payload);
}

const smtp_bridge::Command& command(const smtp_bridge::ParsedCommand& parsed) {
    const auto* found = std::get_if<smtp_bridge::Command>(&parsed);
    check(found != nullptr, "a command that we write is one");
    return *found;
}

/// Without its CRLF, which has to be its only one.
std::string_view line_of(std::string_view written) {
    check(written.find_first_of("\r\n") == written.size() - 2 && written.ends_with("\r\n"),
          "a command is one line");
    return written.substr(0, written.size() - 2);
}

/// What is read of an orcpt once it was written: an address of type utf-8 is xtext then.
std::string as_written(const std::string& orcpt) {
    return orcpt.empty() ? orcpt : mail::parse_orcpt(mail::write_orcpt(orcpt)).value();
}

void make_as_written(mail::Envelope& envelope) {
    for (auto& recipient : envelope.recipients)
        recipient.orcpt = as_written(recipient.orcpt);
}

void check_smtp(const mail::Envelope& envelope) {
    const smtp_bridge::Extensions all{true, true, true, true, {}, true};
    const mail::Content nothing;
    const bool eight_bit = envelope.body == mail::Body::eight_bit_mime;
    const auto mail = smtp_bridge::mail_command({envelope, "", nothing, 0, eight_bit}, all);
    const auto parsed = smtp_bridge::parse_command(line_of(mail));
    const auto& from = std::get<smtp_bridge::MailFrom>(command(parsed));
    check(from.from == envelope.from && from.envid == envelope.envid && from.ret == envelope.ret &&
              from.body == envelope.body,
          "MAIL says what the envelope says");
    for (const auto& recipient : envelope.recipients) {
        const auto rcpt = smtp_bridge::rcpt_command(recipient, all);
        const auto line = line_of(rcpt);
        const auto read = smtp_bridge::parse_command(line);
        const auto& to = std::get<smtp_bridge::RcptTo>(command(read));
        check(to.address == recipient.address && to.notify == recipient.notify,
              "RCPT says what the recipient says");
        check(to.orcpt == as_written(recipient.orcpt), "ORCPT says what orcpt says");
    }
}

void check_promises(const IncomingBatch& batch) {
    check(!batch.transfers.empty() && batch.transfers.size() <= limits::kBatch,
          "a batch has transfers, not too many");
    check(batch.block_size <= limits::kBlock, "the block is bounded");
    std::size_t end = 0;
    std::size_t recipients = 0;
    std::set<queue::TransferKey> keys;
    for (const auto& transfer : batch.transfers) {
        check(transfer.offset == end, "the slices follow each other");
        end += transfer.size;
        check(keys.insert(transfer.key).second, "the keys are distinct");
        check(transfer.key.id.size() <= limits::kTransferId, "an id is bounded");
        check(!transfer.key.domain.is_address_literal(), "a key's domain is a name");
        const auto& envelope = transfer.envelope;
        check(envelope.envid.size() <= limits::kEnvid, "envid is bounded");
        std::set<std::uint32_t> numbers;
        for (const auto& recipient : envelope.recipients) {
            check(numbers.insert(recipient.n).second, "the numbers are distinct");
            check(recipient.orcpt.size() <= limits::kOrcpt, "orcpt is bounded");
        }
        check(!numbers.empty(), "a transfer has a recipient");
        recipients += numbers.size();
    }
    check(end == batch.block_size, "the slices fill the block");
    check(recipients <= limits::kBatchRecipients, "the recipients are bounded");
}

/// The content of the block, or something else of that size if it can't be unpacked; nothing if
/// there is too much of it.
std::optional<std::string> content_of(const IncomingBatch& batch, BlockCodec& codec) {
    if (batch.block_size > kContent) return std::nullopt;
    auto bytes = codec.unpack(batch.block, batch.deflated, batch.block_size);
    if (bytes) return std::move(*bytes);
    return std::string(batch.block_size, 'x');
}

void check_payload(const IncomingBatch& batch) {
    check_promises(batch);
    BlockCodec codec;
    const auto content = content_of(batch, codec);
    std::vector<OutgoingMessage> messages;
    std::vector<IncomingTransfer> expected;
    for (auto transfer : batch.transfers) {
        check_smtp(transfer.envelope);
        if (!content) continue;
        make_as_written(transfer.envelope);
        auto slice = content->substr(transfer.offset, transfer.size);
        transfer.hash = mail::sha256(slice);
        messages.push_back(
            {transfer.key, transfer.envelope, mail::Content(std::move(slice)), transfer.expires});
        expected.push_back(std::move(transfer));
    }
    if (!content) return;
    const auto written = encode_transfers(messages, {batch.deflated}, codec);
    check(written.has_value(), "what came in XML can be written as XML");
    const auto again = parsed_again<IncomingBatch>("set", *written);
    check_promises(again);
    check(again.transfers.size() == expected.size(), "as many transfers");
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& is = again.transfers[i];
        const auto& was = expected[i];
        check(is.key == was.key && is.envelope == was.envelope && is.expires == was.expires &&
                  is.hash == was.hash && is.offset == was.offset && is.size == was.size,
              "the same values");
        check(digest_of(is) == digest_of(was), "the same digest");
    }
    const auto bytes = codec.unpack(again.block, again.deflated, again.block_size);
    check(bytes && *bytes == *content, "the same content");
}

void check_payload(const Verdicts& verdicts) {
    check(verdicts.size() <= limits::kBatch, "the verdicts are bounded");
    for (const auto& verdict : verdicts) {
        using State = Verdict::State;
        check(verdict.state != State::done || !verdict.recipients.empty(),
              "a final verdict is on somebody");
        check((verdict.state == State::open) == (verdict.window > 0),
              "what is open has a window, and nothing else");
        for (const auto& recipient : verdict.recipients) {
            const auto& reply = recipient.reply;
            check(reply.text.size() <= limits::kStatusText, "a reply's text is bounded");
            check(reply.text == base::printable(reply.text, limits::kStatusText),
                  "a reply's text is printable");
            check(reply.is_success() + reply.is_transient() + reply.is_permanent() == 1 &&
                      reply.code / 100 == reply.status.klass,
                  "a reply has one class");
        }
    }
    const auto written = encode_verdicts(verdicts, limits::kStatusText);
    const auto again = parsed_again<Verdicts>("result", written);
    check(again.size() == verdicts.size(), "as many verdicts");
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        check(again[i].state == verdicts[i].state && again[i].offset == verdicts[i].offset &&
                  again[i].window == verdicts[i].window,
              "the same state");
        check(again[i].key == verdicts[i].key && again[i].queue_id == verdicts[i].queue_id &&
                  again[i].recipients == verdicts[i].recipients,
              "the same verdicts");
    }
}

void check_payload(const Malformed& malformed) {
    check(!malformed.why.empty(), "a refusal has a reason");
    check(base::is_utf8(malformed.why), "that can be written");
}

void check_payload(const IncomingOpen& open) {
    auto transfer = open.transfer;
    check(!transfer.envelope.recipients.empty() && transfer.offset == 0, "it is one transfer");
    check_smtp(transfer.envelope);
    make_as_written(transfer.envelope);
    if (transfer.size > kContent) return;
    const OutgoingMessage message{transfer.key, transfer.envelope,
                                  mail::Content(std::string(transfer.size, 'x')), transfer.expires};
    const auto written = encode_open(message, transfer.hash);
    check(written.has_value(), "what came in XML can be written as XML");
    const auto again = parsed_again<IncomingOpen>("set", *written);
    check(again.transfer.key == transfer.key && digest_of(again.transfer) == digest_of(transfer),
          "the same key and digest");
    check(digest_of(message, transfer.hash) == digest_of(transfer), "its sender knows the digest");
}

void check_payload(const IncomingChunk& chunk) {
    check(chunk.size > 0 && chunk.size <= limits::kBlock, "a chunk is bounded, and not empty");
    BlockCodec codec;
    const auto bytes = codec.unpack(chunk.block, chunk.deflated, chunk.size);
    if (!bytes) return;
    const auto written = encode_chunk(chunk.key, chunk.offset, *bytes, chunk.deflated, codec);
    const auto again = parsed_again<IncomingChunk>("set", written);
    check(again.key == chunk.key && again.offset == chunk.offset, "the same place");
    const auto same = codec.unpack(again.block, again.deflated, again.size);
    check(same && *same == *bytes, "the same bytes");
}

void check_payload(const IncomingCommit& commit) {
    const auto again = parsed_again<IncomingCommit>("set", encode_commit(commit.key));
    check(again.key == commit.key, "the same key");
}
void check_payload(const IncomingStatus& status) {
    const auto again =
        parsed_again<IncomingStatus>("get", encode_status(status.key, status.digest));
    check(again.key == status.key && again.digest == status.digest, "the same key and digest");
}
void check_payload(const IncomingReport& incoming) {
    check(!incoming.report.recipients.empty(), "a report is on somebody");
    const auto written = encode_report(incoming.report);
    check(written.has_value(), "what was read can be written");
    const auto again = parsed_again<IncomingReport>("set", *written);
    check(again.report == incoming.report, "the same report");
    const auto stored = queue::decode_peer_report(queue::encode(incoming.report));
    check(stored.has_value() && *stored == incoming.report, "it waits in the queue as it is");
}

void check_payload(const IncomingComplaint& incoming) {
    const auto again = parsed_again<IncomingComplaint>("set", encode_complaint(incoming.complaint));
    check(again.complaint == incoming.complaint, "the same complaint");
    const auto stored = queue::decode_complaints(queue::encode({incoming.complaint}));
    check(stored && stored->size() == 1 && stored->front() == incoming.complaint,
          "it waits in the queue as it is");
}

void check_payload(const IncomingMirror& mirror) {
    check(!mirror.domains.empty() && mirror.domains.size() <= kMirrorDomains,
          "it is asked about a few domains");
    const auto again = parsed_again<IncomingMirror>("get", encode_mirror(mirror.domains));
    check(again.domains == mirror.domains, "the same domains");
}

void check_payload(const Mirrored& mirrored) {
    check(mirrored.domains.size() <= kMirrorDomains && mirrored.took <= kMirrorTook,
          "a mirror is bounded");
    const auto again = parsed_again<Mirrored>("result", encode_mirrored(mirrored));
    check(again == mirrored, "the same view");
}

void check_payload(const IncomingAbort& abort) {
    const auto again =
        parsed_again<IncomingAbort>("set", encode_abort(abort.key, abort.expires, abort.digest));
    check(again.key == abort.key && again.expires == abort.expires && again.digest == abort.digest,
          "the same key, time and digest");
}
void check_payload(const Ack& ack) {
    const auto again = parsed_again<Ack>("result", encode_ack(ack));
    check(again.key == ack.key && again.offset == ack.offset, "the same key and offset");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    for (const auto& event : fuzz::read_iq("set", fuzz::text_of(data, size))) {
        if (const auto* stanza = std::get_if<TransferStanza>(&event))
            std::visit([](const auto& payload) { check_payload(payload); }, stanza->payload);
    }
    return 0;
}
