#include "component/protocol/envelope_parser.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/protocol/payload_values.hpp"
#include "mail/dsn_parameters.hpp"

namespace component {

void EnvelopeParser::start_envelope(const PayloadAttributes& attributes) {
    attributes.only({"size", "body", "smtputf8", "requiretls", "ret", "envid", "expires"});
    if (draft_.stated_size) fail("there are two envelopes");
    auto& envelope = draft_.envelope;
    draft_.stated_size = attributes.number("size", most_);
    const auto body = attributes.find("body").value_or("7bit");
    if (body != "7bit" && body != "8bitmime") fail("the body is neither 7bit nor 8bitmime");
    envelope.body = body == "8bitmime" ? mail::Body::eight_bit_mime : mail::Body::seven_bit;
    envelope.smtputf8 = attributes.flag("smtputf8");
    envelope.requiretls = attributes.flag("requiretls");
    if (const auto ret = attributes.find("ret")) {
        if (*ret != "full" && *ret != "hdrs") fail("ret is neither full nor hdrs");
        envelope.ret = *ret == "full" ? mail::Ret::full : mail::Ret::headers;
    }
    if (const auto envid = attributes.find("envid")) {
        auto parsed = mail::parse_envid(*envid);
        if (!parsed) return fail("the envid is not one");
        envelope.envid = std::move(*parsed);
    }
    draft_.expires = read_expires(attributes);
}

void EnvelopeParser::start_from(const PayloadAttributes& attributes) {
    attributes.only({"addr"});
    if (std::exchange(draft_.from, true)) fail("there are two senders");
    const auto address = attributes.find("addr");
    if (!address) return;
    auto mailbox = mail::Mailbox::parse(*address);
    if (!mailbox) return fail("the sender is not an address");
    draft_.envelope.from = std::move(*mailbox);
}

void EnvelopeParser::start_recipient(const PayloadAttributes& attributes) {
    attributes.only({"n", "addr", "notify", "orcpt"});
    if (++recipients_ > base::limits::kBatchRecipients) return fail("too many recipients");
    const auto n = static_cast<std::uint32_t>(attributes.number("n", kNumberType));
    if (!draft_.numbers.insert(n).second) fail("two recipients have the same number");
    auto mailbox = mail::Mailbox::parse(attributes.required("addr"));
    if (!mailbox) return fail("a recipient is not an address");
    mail::Recipient recipient{n, std::move(*mailbox), {}, {}};
    if (const auto words = attributes.find("notify")) {
        auto notify = mail::Notify::parse(*words, ' ');
        if (!notify || base::to_lower(*words) != *words) return fail("notify is not one");
        recipient.notify = *notify;
    }
    if (const auto text = attributes.find("orcpt")) {
        auto orcpt = mail::parse_orcpt(*text);
        if (!orcpt) return fail("orcpt is not one");
        recipient.orcpt = std::move(*orcpt);
    }
    draft_.envelope.recipients.push_back(std::move(recipient));
}

void EnvelopeParser::start_hash(const PayloadAttributes& attributes) {
    hash_.clear();
    if (attributes.required("algo") != "sha-256") fail("the hash is not a sha-256");
    if (draft_.hash) fail("there are two hashes");
}

void EnvelopeParser::hash_text(std::string_view text) {
    if (hash_.size() + text.size() > kHashText) return fail("the hash is too long");
    hash_ += text;
}

void EnvelopeParser::end_hash() {
    draft_.hash = parse_sha256(hash_);
    if (!draft_.hash) fail("the hash is not 32 bytes in base64");
}

bool EnvelopeParser::is_complete() {
    if (!draft_.stated_size || !draft_.from) {
        fail("a transfer has no envelope or no sender");
    } else if (draft_.envelope.recipients.empty()) {
        fail("a transfer has no recipient");
    } else if (!draft_.hash) {
        fail("a transfer has no hash");
    }
    return !failed();
}

}  // namespace component
