#include "component/transfer_parser.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/block_codec.hpp"
#include "component/namespaces.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kShortestId = 8;  // characters; the schema's idType
constexpr std::size_t kQueueId = 64;    // characters; the schema's queueIdType
constexpr std::uint64_t kNumber =
    65535;                             // the largest number of a recipient; the schema's numberType
constexpr std::size_t kHashText = 44;  // base64 of 32 bytes

bool is_id(std::string_view id) {
    const auto good = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
    return id.size() >= kShortestId && id.size() <= base::limits::kTransferId &&
           std::ranges::all_of(id, good);
}

bool is_queue_id(std::string_view id) {
    const auto good = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '_' || c == '-';
    };
    return !id.empty() && id.size() <= kQueueId && std::ranges::all_of(id, good);
}

/// The type of an address in orcpt. It goes into an SMTP command as it is.
bool is_address_type(std::string_view type) {
    const auto good = [](char c) {
        const char lower = base::to_lower(c);
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-';
    };
    return !type.empty() && std::ranges::all_of(type, good);
}

/// `rfc822;` and an xtext, or another type and its text, with the text decoded.
base::Result<std::string> parse_orcpt(std::string_view text) {
    const auto semicolon = text.find(';');
    if (semicolon == std::string_view::npos || !is_address_type(text.substr(0, semicolon)) ||
        text.size() > base::limits::kOrcpt)
        return base::fail(base::Errc::syntax, "not an orcpt");
    auto decoded = mail::decode_xtext(text.substr(semicolon + 1));
    if (!decoded || decoded->empty()) return base::fail(base::Errc::syntax, "not an orcpt");
    return std::string(text.substr(0, semicolon + 1)) + *decoded;
}

}  // namespace

bool TransferParser::takes(std::string_view xmlns, std::string_view name) {
    return xmlns == ns::kMailTransfer && (name == "transfers" || name == "verdicts");
}

void TransferParser::fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
}

TransferParser::At TransferParser::child_of(At parent, std::string_view xmlns,
                                            std::string_view name) const {
    if (parent == At::transfer && xmlns == ns::kHashes && name == "hash") return At::hash;
    if (xmlns != ns::kMailTransfer) return At::foreign;
    static constexpr struct {
        At parent;
        std::string_view name;
        At child;
    } kGrammar[] = {
        {At::transfers, "transfer", At::transfer}, {At::transfers, "block", At::block},
        {At::transfer, "envelope", At::envelope},  {At::transfer, "content", At::content},
        {At::envelope, "from", At::from},          {At::envelope, "rcpt", At::rcpt},
        {At::verdicts, "verdict", At::verdict},    {At::verdict, "rcpt", At::verdict_rcpt},
    };
    for (const auto& rule : kGrammar) {
        if (rule.parent == parent && rule.name == name) return rule.child;
    }
    return parent;  // says "undefined": no element is its own child
}

void TransferParser::start(std::string_view xmlns, std::string_view name,
                           std::span<const XmlAttribute> given) {
    const PayloadAttributes attributes(given, why_);
    if (path_.empty()) {
        attributes.only({});
        path_.push_back(name == "transfers" ? At::transfers : At::verdicts);
        return;
    }
    const At parent = path_.back();
    if (failed() || parent == At::foreign) {
        path_.push_back(At::foreign);
        return;
    }
    const At here = child_of(parent, xmlns, name);
    path_.push_back(here);
    switch (here) {
        case At::transfer:
            start_transfer(attributes);
            break;
        case At::envelope:
            start_envelope(attributes);
            break;
        case At::from:
            start_from(attributes);
            break;
        case At::rcpt:
            start_recipient(attributes);
            break;
        case At::hash:
            text_.clear();
            if (attributes.required("algo") != "sha-256") fail("the hash is not a sha-256");
            if (draft_.hash) fail("there are two hashes");
            break;
        case At::content:
            start_content(attributes);
            break;
        case At::block:
            start_block(attributes);
            break;
        case At::verdict:
            start_verdict(attributes);
            break;
        case At::verdict_rcpt:
            start_verdict_recipient(attributes);
            break;
        default:
            break;
    }
    if (here == parent) fail("undefined element " + base::printable(name, 40));
}

void TransferParser::text(std::string_view text) {
    if (failed()) return;
    switch (path_.back()) {
        case At::block:
            batch_.block += text;
            break;
        case At::hash:
            if (text_.size() + text.size() > kHashText) return fail("the hash is too long");
            text_ += text;
            break;
        case At::verdict_rcpt:
            // Only what will be kept; the rest of an overlong text is dropped, as it decides
            // nothing.
            text_ +=
                text.substr(0, std::min(text.size(), 2 * base::limits::kStatusText - text_.size()));
            break;
        case At::foreign:
            break;
        default:
            if (text.find_first_not_of(" \t\r\n") != std::string_view::npos)
                fail("text between elements");
    }
}

void TransferParser::end() {
    const At here = path_.back();
    path_.pop_back();
    if (failed()) return;
    switch (here) {
        case At::hash:
            end_hash();
            break;
        case At::transfer:
            end_transfer();
            break;
        case At::verdict:
            end_verdict();
            break;
        case At::verdict_rcpt:
            end_verdict_recipient();
            break;
        case At::transfers:
            finish_batch();
            break;
        default:
            break;
    }
}

TransferPayload TransferParser::take() {
    if (failed()) return Malformed{std::move(why_)};
    if (!batch_.transfers.empty()) return std::move(batch_);
    return std::move(verdicts_);
}

std::optional<queue::TransferKey> TransferParser::read_key(const PayloadAttributes& attributes) {
    const auto id = attributes.required("id");
    const auto name = attributes.required("domain");
    if (!is_id(id)) fail("the id is not one");
    auto domain = mail::Domain::parse(name);
    if (!domain || domain->ascii() != name || domain->is_address_literal())
        fail("the domain is not in lower-case A-labels");
    if (failed()) return std::nullopt;
    queue::TransferKey key{std::move(*domain), std::string(id)};
    if (!keys_.insert(key).second) fail("two transfers have the same key");
    return key;
}

void TransferParser::start_transfer(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain"});
    draft_ = Draft();
    draft_.key = read_key(attributes);
    if (block_seen_) fail("a transfer stands behind the block");
    if (batch_.transfers.size() >= base::limits::kBatch) fail("too many transfers");
}

void TransferParser::start_envelope(const PayloadAttributes& attributes) {
    attributes.only({"size", "body", "smtputf8", "requiretls", "ret", "envid", "expires"});
    if (draft_.stated_size) fail("there are two envelopes");
    auto& envelope = draft_.envelope;
    draft_.stated_size = attributes.number("size", base::limits::kBlock);
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
        auto decoded = mail::decode_xtext(*envid);
        if (!decoded || envid->empty() || envid->size() > base::limits::kEnvid) {
            fail("the envid is not xtext");
        } else {
            envelope.envid = std::move(*decoded);
        }
    }
    const auto expires = attributes.required("expires");
    const auto time = base::parse_datetime(expires);
    if (!time || base::to_datetime(*time) != expires)
        return fail("expires is not a UTC time in whole seconds");
    draft_.expires = *time;
}

void TransferParser::start_from(const PayloadAttributes& attributes) {
    attributes.only({"addr"});
    if (std::exchange(draft_.from, true)) fail("there are two senders");
    const auto address = attributes.find("addr");
    if (!address) return;
    auto mailbox = mail::Mailbox::parse(*address);
    if (!mailbox) return fail("the sender is not an address");
    draft_.envelope.from = std::move(*mailbox);
}

void TransferParser::start_recipient(const PayloadAttributes& attributes) {
    attributes.only({"n", "addr", "notify", "orcpt"});
    if (++recipients_ > base::limits::kBatchRecipients) return fail("too many recipients");
    const auto n = static_cast<std::uint32_t>(attributes.number("n", kNumber));
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
        auto orcpt = parse_orcpt(*text);
        if (!orcpt) return fail("orcpt is not one");
        recipient.orcpt = std::move(*orcpt);
    }
    draft_.envelope.recipients.push_back(std::move(recipient));
}

void TransferParser::start_content(const PayloadAttributes& attributes) {
    attributes.only({"off", "size"});
    if (draft_.offset) fail("there are two slices");
    draft_.offset = attributes.number("off", base::limits::kBlock);
    draft_.size = attributes.number("size", base::limits::kBlock);
}

void TransferParser::start_block(const PayloadAttributes& attributes) {
    attributes.only({"enc", "size"});
    if (std::exchange(block_seen_, true)) fail("there are two blocks");
    const auto encoding = attributes.required("enc");
    if (encoding != "deflate" && encoding != "none")
        fail("the encoding is neither deflate nor none");
    batch_.deflated = encoding == "deflate";
    batch_.block_size = attributes.number("size", base::limits::kBlock);
}

void TransferParser::end_hash() {
    const auto bytes = base64_decode(text_);
    mail::Sha256 hash{};
    if (!bytes || bytes->size() != hash.size()) return fail("the hash is not 32 bytes in base64");
    std::ranges::transform(*bytes, hash.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    draft_.hash = hash;
}

void TransferParser::end_transfer() {
    if (!draft_.stated_size || !draft_.from) return fail("a transfer has no envelope or no sender");
    if (draft_.envelope.recipients.empty()) return fail("a transfer has no recipient");
    if (!draft_.hash || !draft_.offset) return fail("a transfer has no hash or no slice");
    if (*draft_.stated_size != draft_.size)
        return fail("the size of the envelope is not that of the slice");
    const auto& before = batch_.transfers;
    const std::size_t expected = before.empty() ? 0 : before.back().offset + before.back().size;
    if (*draft_.offset != expected) return fail("the slices do not follow each other");
    batch_.transfers.push_back({std::move(*draft_.key), std::move(draft_.envelope), draft_.expires,
                                *draft_.hash, *draft_.offset, draft_.size});
}

void TransferParser::finish_batch() {
    if (batch_.transfers.empty()) return fail("there is no transfer");
    if (!block_seen_) return fail("there is no block");
    const auto& last = batch_.transfers.back();
    if (last.offset + last.size != batch_.block_size) fail("the slices do not fill the block");
}

void TransferParser::start_verdict(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "state", "queue-id"});
    auto key = read_key(attributes);
    if (attributes.required("state") != "done") fail("the state is not done");
    const auto queue_id = attributes.find("queue-id");
    if (queue_id && !is_queue_id(*queue_id)) fail("the queue-id is not one");
    if (verdicts_.size() >= base::limits::kBatch) fail("too many verdicts");
    if (failed()) return;
    verdicts_.push_back({std::move(*key), std::string(queue_id.value_or("")), {}});
    draft_.numbers.clear();
}

void TransferParser::start_verdict_recipient(const PayloadAttributes& attributes) {
    attributes.only({"n", "code", "status"});
    text_.clear();
    if (++recipients_ > base::limits::kBatchRecipients) return fail("too many recipients");
    const auto n = static_cast<std::uint32_t>(attributes.number("n", kNumber));
    const auto code = static_cast<int>(attributes.number("code", 559));
    const auto status = mail::EnhancedStatus::parse(attributes.required("status"));
    if (!draft_.numbers.insert(n).second) fail("two verdicts are on the same recipient");
    const int klass = code / 100;
    if ((klass != 2 && klass != 4 && klass != 5) || code % 100 > 59)
        fail("the code is not one of SMTP");
    if (!status || status->klass != klass) fail("the status does not fit the code");
    if (failed()) return;
    verdicts_.back().recipients.push_back({n, mail::Reply{code, *status, {}}});
}

void TransferParser::end_verdict_recipient() {
    verdicts_.back().recipients.back().reply.text =
        base::printable(text_, base::limits::kStatusText);
}

void TransferParser::end_verdict() {
    if (verdicts_.back().recipients.empty()) fail("a verdict is on nobody");
}

}  // namespace component
