#include "component/protocol/transfer_codec.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/xml/namespaces.hpp"
#include "component/xml/xml_writer.hpp"
#include "mail/dsn_parameters.hpp"

namespace component {
namespace {

constexpr std::size_t kTransferOverhead = 600;  // tags, id, domain, hash, sizes
constexpr std::size_t kRecipientOverhead = 80;  // tags and attributes around the addresses

std::string as_read(const std::string& text, base::Result<std::string> (*parse)(std::string_view),
                    bool dsn) {
    return dsn && !text.empty() ? *parse(text) : std::string();
}

/// What a peer reads of `recipient`: without what it does not take, and with the spellings of what
/// is written, as the digest is made of what was read.
mail::Recipient as_sent(mail::Recipient recipient, bool dsn) {
    if (!dsn) recipient.notify = {};
    recipient.orcpt = as_read(mail::write_orcpt(recipient.orcpt), mail::parse_orcpt, dsn);
    return recipient;
}

/// The same of an envelope.
mail::Envelope as_sent(mail::Envelope envelope, bool dsn) {
    envelope.envid = as_read(mail::write_envid(envelope.envid), mail::parse_envid, dsn);
    if (!dsn) envelope.ret = mail::Ret::unset;
    for (auto& recipient : envelope.recipients)
        recipient = as_sent(std::move(recipient), dsn);
    return envelope;
}

void write_recipient(XmlWriter& xml, const mail::Recipient& recipient) {
    xml.open("rcpt").attribute("n", recipient.n).attribute("addr", recipient.address.text());
    if (recipient.notify.is_set()) xml.attribute("notify", recipient.notify.to_text(' '));
    if (!recipient.orcpt.empty()) xml.attribute("orcpt", mail::write_orcpt(recipient.orcpt));
    xml.close();
}

void write_envelope(XmlWriter& xml, const OutgoingMessage& message) {
    const mail::Envelope envelope = as_sent(message.envelope, message.dsn);
    xml.open("envelope").attribute("size", message.content.size());
    if (envelope.body == mail::Body::eight_bit_mime) xml.attribute("body", "8bitmime");
    if (envelope.smtputf8) xml.attribute("smtputf8", "true");
    if (envelope.requiretls) xml.attribute("requiretls", "true");
    if (envelope.ret != mail::Ret::unset)
        xml.attribute("ret", envelope.ret == mail::Ret::full ? "full" : "hdrs");
    if (!envelope.envid.empty()) xml.attribute("envid", mail::write_envid(envelope.envid));
    xml.attribute("expires", base::to_datetime(message.expires));
    xml.open("from");
    if (envelope.from) xml.attribute("addr", envelope.from->text());
    xml.close();
    for (const auto& recipient : envelope.recipients)
        write_recipient(xml, recipient);
    xml.close();
}

std::string_view as_text(const mail::Sha256& hash) {
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

void write_key(XmlWriter& xml, const queue::TransferKey& key) {
    xml.attribute("id", key.id).attribute("domain", key.domain.ascii());
}

/// XEP-0300 3.
void write_hash(XmlWriter& xml, const mail::Sha256& hash) {
    xml.open("hash", ns::kHashes).attribute("algo", "sha-256");
    xml.plain(base64_encode(as_text(hash))).close();
}

void write_digest(XmlWriter& xml, const std::optional<mail::Sha256>& digest) {
    if (digest) xml.attribute("digest", base64_encode(as_text(*digest)));
}

/// A reply that the schema knows: classes 2, 4 and 5, and a status of the same class.
mail::Reply corrected(mail::Reply reply) {
    int klass = reply.code / 100;
    if (klass != 2 && klass != 4 && klass != 5) klass = 4;
    if (reply.code / 100 != klass || reply.code % 100 > 59)
        reply.code = klass == 4 ? 451 : klass * 100 + 50;
    if (reply.status.klass != klass) reply.status = {static_cast<std::uint16_t>(klass), 0, 0};
    return reply;
}

/// About what a payload needs beside the content.
std::size_t overhead_of(const mail::Envelope& envelope) {
    std::size_t bytes = kTransferOverhead + (envelope.from ? envelope.from->text().size() : 0);
    for (const auto& recipient : envelope.recipients)
        bytes += kRecipientOverhead + recipient.address.text().size() + recipient.orcpt.size();
    return bytes;
}

}  // namespace

std::size_t size_of_open(const mail::Envelope& envelope, bool dsn) {
    // A key is not known yet. The content's size may have as many digits as any.
    constexpr std::size_t kKey = base::limits::kTransferId + base::limits::kDomain + 20;
    OutgoingMessage bare{{*mail::Domain::parse("a"), {}}, envelope, {}, {}, dsn};
    bare.envelope.recipients.clear();
    const auto written = encode_open(bare, {});
    return kKey + (written ? written->size() : 0);  // what can't be written is never sent
}

std::size_t size_of_recipient(const mail::Recipient& recipient, bool dsn) {
    XmlWriter xml;
    write_recipient(xml, as_sent(recipient, dsn));
    const auto written = xml.finish();
    return written ? written->size() : 0;
}

base::Result<std::string> encode_transfers(std::span<const OutgoingMessage> messages,
                                           EncodeOptions options, BlockCodec& codec) {
    std::size_t size = 0;
    std::size_t overhead = 0;
    for (const auto& message : messages) {
        size += message.content.size();
        overhead += overhead_of(message.envelope);
    }
    std::string block;
    block.reserve(size);
    for (const auto& message : messages)
        block += message.content.bytes();
    std::string deflated = options.deflate ? codec.deflate(block) : std::string();
    const bool shorter = !deflated.empty();
    const std::string encoded = base64_encode(shorter ? deflated : block);

    XmlWriter xml;
    xml.reserve(overhead + encoded.size());
    xml.open("transfers", ns::kMailTransfer);
    std::size_t offset = 0;
    for (const auto& message : messages) {
        xml.open("transfer");
        write_key(xml, message.key);
        write_envelope(xml, message);
        write_hash(xml, mail::sha256(message.content.bytes()));
        xml.open("content")
            .attribute("off", offset)
            .attribute("size", message.content.size())
            .close();
        xml.close();
        offset += message.content.size();
    }
    xml.open("block").attribute("enc", shorter ? "deflate" : "none").attribute("size", size);
    xml.plain(encoded).close();
    return xml.finish();
}

base::Result<std::string> encode_open(const OutgoingMessage& message, const mail::Sha256& hash) {
    XmlWriter xml;
    xml.open("open", ns::kMailTransfer);
    write_key(xml, message.key);
    write_envelope(xml, message);
    write_hash(xml, hash);
    return xml.finish();
}

std::string encode_chunk(const queue::TransferKey& key, std::uint64_t offset,
                         std::string_view bytes, bool deflate, BlockCodec& codec) {
    const std::string deflated = deflate ? codec.deflate(bytes) : std::string();
    const bool shorter = !deflated.empty();
    XmlWriter xml;
    xml.open("chunk", ns::kMailTransfer);
    write_key(xml, key);
    xml.attribute("off", offset).attribute("size", bytes.size());
    xml.attribute("enc", shorter ? "deflate" : "none");
    xml.plain(base64_encode(shorter ? std::string_view(deflated) : bytes));
    return *xml.finish();
}

std::string encode_commit(const queue::TransferKey& key) {
    XmlWriter xml;
    xml.open("commit", ns::kMailTransfer);
    write_key(xml, key);
    return *xml.finish();
}

std::string encode_status(const queue::TransferKey& key,
                          const std::optional<mail::Sha256>& digest) {
    XmlWriter xml;
    xml.open("status", ns::kMailTransfer);
    write_key(xml, key);
    write_digest(xml, digest);
    return *xml.finish();
}

std::string encode_abort(const queue::TransferKey& key, base::TimePoint expires,
                         const std::optional<mail::Sha256>& digest) {
    XmlWriter xml;
    xml.open("abort", ns::kMailTransfer);
    write_key(xml, key);
    xml.attribute("expires", base::to_datetime(expires));
    write_digest(xml, digest);
    return *xml.finish();
}

std::string encode_ack(const Ack& ack) {
    XmlWriter xml;
    xml.open("ack", ns::kMailTransfer);
    write_key(xml, ack.key);
    return *xml.attribute("offset", ack.offset).finish();
}

base::Result<std::string> encode_report(const queue::PeerReport& report) {
    XmlWriter xml;
    xml.open("report", ns::kMailTransfer);
    write_key(xml, report.key);
    xml.attribute("seq", report.seq);
    for (const auto& line : report.recipients) {
        const auto reply = corrected(line.reply);
        xml.open("rcpt").attribute("n", line.n).attribute("action", mail::to_text(line.action));
        xml.attribute("code", reply.code).attribute("status", reply.status.to_text());
        xml.attribute("time", base::to_datetime(line.at));
        if (!line.mta.empty()) xml.attribute("mta", line.mta);
        if (!line.final_address.empty()) xml.attribute("final", line.final_address);
        const auto text = base::printable(reply.text, base::limits::kStatusText);
        if (!text.empty()) xml.text(text);
        xml.close();
    }
    return xml.finish();
}

std::string encode_complaint(const queue::Complaint& complaint) {
    XmlWriter xml;
    xml.open("complaint", ns::kMailTransfer);
    write_key(xml, complaint.key);
    return *xml.attribute("kind", complaint.is_spam ? "spam" : "not-spam").finish();
}

const char* to_text(Verdict::State state) {
    switch (state) {
        case Verdict::State::done:
            return "done";
        case Verdict::State::open:
            return "open";
        case Verdict::State::committing:
            return "committing";
        case Verdict::State::aborted:
            return "aborted";
        case Verdict::State::unknown:
            break;
    }
    return "unknown";
}

std::string encode_verdicts(std::span<const Verdict> verdicts, std::size_t longest_text) {
    XmlWriter xml;
    xml.open("verdicts", ns::kMailTransfer);
    for (const auto& verdict : verdicts) {
        xml.open("verdict");
        write_key(xml, verdict.key);
        xml.attribute("state", to_text(verdict.state));
        if (verdict.state == Verdict::State::open)
            xml.attribute("offset", verdict.offset).attribute("window", verdict.window);
        if (!verdict.queue_id.empty()) xml.attribute("queue-id", verdict.queue_id);
        for (const auto& recipient : verdict.recipients) {
            const auto reply = corrected(recipient.reply);
            xml.open("rcpt").attribute("n", recipient.n).attribute("code", reply.code);
            xml.attribute("status", reply.status.to_text());
            const auto text = base::printable(reply.text, longest_text);
            if (!text.empty()) xml.text(text);
            xml.close();
        }
        xml.close();
    }
    return *xml.finish();
}

mail::Sha256 digest_of(const IncomingTransfer& transfer) {
    // Each value with its length before it, so that no two lists of values look the same.
    std::string values;
    const auto add = [&](std::string_view value) {
        values += std::to_string(value.size());
        values += ':';
        values += value;
    };
    const auto& envelope = transfer.envelope;
    add("packetboat digest 1");
    add(envelope.from ? envelope.from->text() : std::string());
    add(std::to_string(transfer.size));
    add(envelope.body == mail::Body::eight_bit_mime ? "8" : "7");
    add(envelope.smtputf8 ? "1" : "0");
    add(envelope.requiretls ? "1" : "0");
    add(std::to_string(static_cast<int>(envelope.ret)));
    add(envelope.envid);
    add(base::to_datetime(transfer.expires));
    for (const auto& recipient : envelope.recipients) {
        add(std::to_string(recipient.n));
        add(recipient.address.text());
        add(recipient.notify.to_text(' '));
        add(recipient.orcpt);
    }
    add(as_text(transfer.hash));
    return mail::sha256(values);
}

mail::Sha256 digest_of(const OutgoingMessage& message, const mail::Sha256& hash) {
    return digest_of(IncomingTransfer{message.key, as_sent(message.envelope, message.dsn),
                                      message.expires, hash, 0, message.content.size()});
}

}  // namespace component
