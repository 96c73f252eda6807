#include "component/protocol/transfer_parser.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/xml/namespaces.hpp"
#include "mail/dsn_parameters.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kShortestId = 8;  // characters; the schema's idType
constexpr std::size_t kQueueId = 64;    // characters; the schema's queueIdType
constexpr std::uint64_t kNumber =
    65535;                             // the largest number of a recipient; the schema's numberType
constexpr std::size_t kHashText = 44;  // base64 of 32 bytes
constexpr std::uint64_t kOctets = std::uint64_t(1) << 40;  // the schema's octetsType

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

std::optional<Verdict::State> to_state(std::string_view word) {
    using State = Verdict::State;
    for (const auto state :
         {State::done, State::open, State::committing, State::aborted, State::unknown}) {
        if (word == to_text(state)) return state;
    }
    return std::nullopt;
}

std::optional<mail::Sha256> parse_sha256(std::string_view text) {
    const auto bytes = text.size() == kHashText ? base64_decode(text) : std::string();
    mail::Sha256 hash{};
    if (!bytes || bytes->size() != hash.size()) return std::nullopt;
    std::ranges::transform(*bytes, hash.begin(),
                           [](char c) { return static_cast<std::uint8_t>(c); });
    return hash;
}

}  // namespace

std::optional<TransferParser::At> TransferParser::root_of(std::string_view name) {
    static constexpr std::pair<std::string_view, At> kRoots[] = {
        {"transfers", At::transfers}, {"verdicts", At::verdicts}, {"open", At::open},
        {"chunk", At::chunk},         {"commit", At::commit},     {"status", At::status},
        {"abort", At::abort},         {"ack", At::ack},           {"report", At::report},
    };
    for (const auto& [known, at] : kRoots) {
        if (known == name) return at;
    }
    return std::nullopt;
}

bool TransferParser::takes(std::string_view xmlns, std::string_view name) {
    return xmlns == ns::kMailTransfer && root_of(name).has_value();
}

void TransferParser::fail(std::string why) {
    if (why_.empty()) why_ = std::move(why);
}

TransferParser::At TransferParser::child_of(At parent, std::string_view xmlns,
                                            std::string_view name) const {
    const bool has_hash = parent == At::transfer || parent == At::open;
    if (has_hash && xmlns == ns::kHashes && name == "hash") return At::hash;
    if (xmlns != ns::kMailTransfer) return At::foreign;
    static constexpr struct {
        At parent;
        std::string_view name;
        At child;
    } kGrammar[] = {
        {At::transfers, "transfer", At::transfer}, {At::transfers, "block", At::block},
        {At::transfer, "envelope", At::envelope},  {At::transfer, "content", At::content},
        {At::open, "envelope", At::envelope},      {At::envelope, "from", At::from},
        {At::envelope, "rcpt", At::rcpt},          {At::verdicts, "verdict", At::verdict},
        {At::verdict, "rcpt", At::verdict_rcpt},   {At::report, "rcpt", At::report_rcpt},
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
        path_.push_back(root_of(name).value_or(At::foreign));
        return start_root(attributes);
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
        case At::report_rcpt:
            start_report_recipient(attributes);
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
        case At::chunk:
            batch_.block += text;
            break;
        case At::hash:
            if (text_.size() + text.size() > kHashText) return fail("the hash is too long");
            text_ += text;
            break;
        case At::verdict_rcpt:
        case At::report_rcpt:
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
        case At::report_rcpt:
            end_report_recipient();
            break;
        case At::report:
            if (report_->recipients.empty()) fail("a report is on nobody");
            break;
        case At::transfers:
            finish_batch();
            break;
        case At::open:
            end_open();
            break;
        case At::chunk:
            std::get<IncomingChunk>(single_).block = std::move(batch_.block);
            break;
        default:
            break;
    }
}

TransferPayload TransferParser::take() {
    if (failed()) return Malformed{std::move(why_)};
    if (!batch_.transfers.empty()) return std::move(batch_);
    if (report_) return IncomingReport{std::move(*report_)};
    if (!std::holds_alternative<Malformed>(single_)) return std::move(single_);
    return std::move(verdicts_);
}

void TransferParser::start_root(const PayloadAttributes& attributes) {
    const At root = path_.back();
    if (root == At::transfers || root == At::verdicts) return attributes.only({});
    if (root == At::chunk) return start_chunk(attributes);
    if (root == At::report) return start_report(attributes);
    if (root == At::abort) {
        attributes.only({"id", "domain", "expires", "digest"});
    } else if (root == At::status) {
        attributes.only({"id", "domain", "digest"});
    } else if (root == At::ack) {
        attributes.only({"id", "domain", "offset"});
    } else {
        attributes.only({"id", "domain"});
    }
    auto key = read_key(attributes);
    if (!key) return;
    switch (root) {
        case At::open:
            draft_.key = std::move(*key);
            break;
        case At::commit:
            single_ = IncomingCommit{std::move(*key)};
            break;
        case At::status:
            single_ = IncomingStatus{std::move(*key), read_digest(attributes)};
            break;
        case At::abort: {
            const base::TimePoint expires = read_expires(attributes);
            single_ = IncomingAbort{std::move(*key), expires, read_digest(attributes)};
            break;
        }
        case At::ack: {
            const auto offset = attributes.number("offset", kOctets);
            single_ = Ack{std::move(*key), offset};
            break;
        }
        default:
            fail("undefined element");
    }
}

void TransferParser::start_chunk(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "off", "size", "enc"});
    auto key = read_key(attributes);
    read_encoding(attributes);
    const auto offset = attributes.number("off", kOctets);
    if (batch_.block_size == 0) fail("the chunk is empty");
    if (!key) return;
    single_ = IncomingChunk{std::move(*key), offset, batch_.block_size, batch_.deflated, {}};
}

void TransferParser::read_encoding(const PayloadAttributes& attributes) {
    const auto encoding = attributes.required("enc");
    if (encoding != "deflate" && encoding != "none")
        fail("the encoding is neither deflate nor none");
    batch_.deflated = encoding == "deflate";
    batch_.block_size = attributes.number("size", base::limits::kBlock);
}

base::TimePoint TransferParser::read_expires(const PayloadAttributes& attributes) {
    const auto expires = attributes.required("expires");
    const auto time = base::parse_datetime(expires);
    if (time && base::to_datetime(*time) == expires) return *time;
    fail("expires is not a UTC time in whole seconds");
    return {};
}

std::optional<mail::Sha256> TransferParser::read_digest(const PayloadAttributes& attributes) {
    const auto text = attributes.find("digest");
    if (!text) return std::nullopt;
    const auto digest = parse_sha256(*text);
    if (!digest) fail("the digest is not 32 bytes in base64");
    return digest;
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
    const bool in_pieces = path_.front() == At::open;
    draft_.stated_size = attributes.number("size", in_pieces ? kOctets : base::limits::kBlock);
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
        auto orcpt = mail::parse_orcpt(*text);
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
    read_encoding(attributes);
}

void TransferParser::end_hash() {
    draft_.hash = parse_sha256(text_);
    if (!draft_.hash) fail("the hash is not 32 bytes in base64");
}

bool TransferParser::check_draft() {
    if (!draft_.stated_size || !draft_.from) {
        fail("a transfer has no envelope or no sender");
    } else if (draft_.envelope.recipients.empty()) {
        fail("a transfer has no recipient");
    } else if (!draft_.hash) {
        fail("a transfer has no hash");
    }
    return !failed();
}

void TransferParser::end_open() {
    if (!check_draft()) return;
    single_ = IncomingOpen{{std::move(*draft_.key), std::move(draft_.envelope), draft_.expires,
                            *draft_.hash, 0, *draft_.stated_size}};
}

void TransferParser::end_transfer() {
    if (!check_draft()) return;
    if (!draft_.offset) return fail("a transfer has no slice");
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
    attributes.only({"id", "domain", "state", "queue-id", "offset", "window"});
    auto key = read_key(attributes);
    const auto state = to_state(attributes.required("state"));
    if (!state) fail("the state is not one");
    const auto queue_id = attributes.find("queue-id");
    if (queue_id && !is_queue_id(*queue_id)) fail("the queue-id is not one");
    const bool is_open = state == Verdict::State::open;
    if (!is_open && (attributes.find("offset") || attributes.find("window")))
        fail("only what is open has an offset and a window");
    const auto offset = is_open ? attributes.number("offset", kOctets) : 0;
    const auto window = is_open ? attributes.number("window", kOctets) : 0;
    if (is_open && window == 0) fail("the window is empty");
    if (verdicts_.size() >= base::limits::kBatch) fail("too many verdicts");
    if (failed()) return;
    verdicts_.push_back({std::move(*key),
                         *state,
                         std::string(queue_id.value_or("")),
                         {},
                         offset,
                         static_cast<std::size_t>(window)});
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
    using State = Verdict::State;
    const Verdict& verdict = verdicts_.back();
    const bool decides = verdict.state == State::done || verdict.state == State::open;
    if (verdict.state == State::done && verdict.recipients.empty()) fail("a verdict is on nobody");
    if (!decides && !verdict.recipients.empty()) fail("nothing was decided, and yet it is told");
}

}  // namespace component
