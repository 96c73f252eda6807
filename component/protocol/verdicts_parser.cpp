#include "component/protocol/verdicts_parser.hpp"

#include "base/limits.hpp"
#include "component/protocol/payload_values.hpp"

#include <algorithm>
#include <optional>

namespace component {
namespace {

constexpr std::size_t kQueueId = 64;  // characters; the schema's queueIdType

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

}  // namespace

std::span<const PayloadElement<VerdictsParser>> VerdictsParser::elements() {
    using P = VerdictsParser;
    static constexpr PayloadElement<P> kElements[] = {
        {"", "verdicts", &P::start_verdicts},
        {"verdicts", "verdict", &P::start_verdict, nullptr, &P::end_verdict},
        {"verdict", "rcpt", &P::start_recipient, &P::reply_text, &P::end_recipient},
    };
    return kElements;
}

void VerdictsParser::start_verdicts(const PayloadAttributes& attributes) {
    attributes.only({});
}

void VerdictsParser::start_verdict(const PayloadAttributes& attributes) {
    attributes.only({"id", "domain", "state", "queue-id", "offset", "window"});
    auto key = read_key(attributes);
    if (key && !keys_.insert(*key).second) fail("two transfers have the same key");
    const auto state = to_state(attributes.required("state"));
    if (!state) fail("the state is not one");
    const auto queue_id = attributes.find("queue-id");
    if (queue_id && !is_queue_id(*queue_id)) fail("the queue-id is not one");
    const bool is_open = state == Verdict::State::open;
    if (!is_open && (attributes.find("offset") || attributes.find("window")))
        fail("only what is open has an offset and a window");
    const auto offset = is_open ? attributes.number("offset", kOctetsType) : 0;
    const auto window = is_open ? attributes.number("window", kOctetsType) : 0;
    if (is_open && window == 0) fail("the window is empty");
    if (verdicts_.size() >= base::limits::kBatch) fail("too many verdicts");
    if (failed()) return;
    verdicts_.push_back({std::move(*key),
                         *state,
                         std::string(queue_id.value_or("")),
                         {},
                         offset,
                         static_cast<std::size_t>(window)});
    numbers_.clear();
}

void VerdictsParser::start_recipient(const PayloadAttributes& attributes) {
    attributes.only({"n", "code", "status"});
    text_.clear();
    if (++recipients_ > base::limits::kBatchRecipients) return fail("too many recipients");
    const auto n = static_cast<std::uint32_t>(attributes.number("n", kNumberType));
    const auto code = static_cast<int>(attributes.number("code", 559));
    const auto status = mail::EnhancedStatus::parse(attributes.required("status"));
    if (!numbers_.insert(n).second) fail("two verdicts are on the same recipient");
    const int klass = code / 100;
    if ((klass != 2 && klass != 4 && klass != 5) || code % 100 > 59)
        fail("the code is not one of SMTP");
    if (!status || status->klass != klass) fail("the status does not fit the code");
    if (failed()) return;
    verdicts_.back().recipients.push_back({n, mail::Reply{code, *status, {}}});
}

void VerdictsParser::reply_text(std::string_view text) {
    add_reply_text(text_, text);
}

void VerdictsParser::end_recipient() {
    verdicts_.back().recipients.back().reply.text =
        base::printable(text_, base::limits::kStatusText);
}

void VerdictsParser::end_verdict() {
    using State = Verdict::State;
    const Verdict& verdict = verdicts_.back();
    const bool decides = verdict.state == State::done || verdict.state == State::open;
    if (verdict.state == State::done && verdict.recipients.empty()) fail("a verdict is on nobody");
    if (!decides && !verdict.recipients.empty()) fail("nothing was decided, and yet it is told");
}

}  // namespace component
