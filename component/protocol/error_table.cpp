#include "component/protocol/error_table.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace component {
namespace {

using Kind = Failure::Kind;

constexpr mail::EnhancedStatus kUnreachable{4, 4, 1};

mail::Reply deferral(mail::EnhancedStatus status, std::string_view text) {
    return {451, status, base::printable(text, base::limits::kStatusText)};
}

bool is_one_of(std::string_view condition, std::initializer_list<std::string_view> conditions) {
    return std::ranges::find(conditions, condition) != conditions.end();
}

Failure classify_error(const StanzaError& error) {
    Failure failure;
    failure.kind = Kind::refused;
    failure.retry_after = error.retry_after;
    failure.reply = deferral({4, 5, 0}, error.to_text());
    const auto& condition = error.condition;
    if (error.ours == "busy" && error.cause != BusyCause::none) {
        const bool unverified = error.cause == BusyCause::unverified;
        failure.kind = unverified ? Kind::unverified : Kind::beyond_rate;
        failure.reply =
            deferral({4, 7, static_cast<std::uint16_t>(unverified ? 1 : 0)}, error.text);
        failure.split_batch = true;  // others may be of another domain
    } else if (error.ours == "busy") {
        failure.kind = Kind::busy;
        failure.reply.status = {4, 3, 2};
    } else if (condition == "forbidden" && error.ours == "domain-not-authorized") {
        failure.kind = Kind::not_authorised;
        failure.reply.status = {4, 7, 1};
        failure.split_batch = true;
    } else if (condition == "bad-request" && error.ours == "malformed") {
        failure.kind = Kind::malformed;
        failure.reply.status = {4, 6, 0};
        failure.split_batch = true;
    } else if (condition == "conflict" && error.ours == "id-reuse") {
        failure.kind = Kind::id_reuse;
        failure.split_batch = true;
    } else if (condition == "item-not-found" && error.ours == "unknown-transfer") {
        failure.kind = Kind::not_open;
    } else if (condition == "unexpected-request" && error.ours == "bad-offset" && error.offset) {
        failure.kind = Kind::bad_offset;
        failure.offset = *error.offset;
    } else if (is_one_of(condition, {"resource-constraint", "policy-violation"})) {
        failure.kind = Kind::too_much;
        failure.reply.status = {4, 3, 2};
        failure.split_batch = true;
    } else if (is_one_of(condition, {"service-unavailable", "feature-not-implemented"})) {
        failure.kind = Kind::not_there;
        failure.reply.status = kUnreachable;
    } else if (is_one_of(condition, {"remote-server-not-found", "remote-server-timeout",
                                     "recipient-unavailable", "internal-server-error",
                                     "item-not-found", "gone", "redirect"})) {
        // What servers say when they cannot reach the peer, which concerns all members alike.
        failure.kind = Kind::silence;
        failure.reply.status = kUnreachable;
    } else {
        // An error that nobody foresaw may concern one of them.
        failure.split_batch = true;
    }
    return failure;
}

}  // namespace

Failure classify(const IqReply& reply) {
    if (const auto* error = std::get_if<StanzaError>(&reply)) return classify_error(*error);
    Failure failure;
    if (const auto* none = std::get_if<NoAnswer>(&reply)) {
        failure.reply = deferral(kUnreachable, none->error.text);
        return failure;
    }
    failure.kind = Kind::refused;
    failure.split_batch = true;
    const auto* malformed = std::get_if<Malformed>(&reply);
    failure.reply = deferral({4, 5, 0}, malformed != nullptr
                                            ? "the peer's answer is malformed: " + malformed->why
                                            : "the peer's answer has no verdicts");
    return failure;
}

Failure on_request_alone(Failure failure) {
    failure.kind = Kind::refused;
    failure.split_batch = failure.once_more = true;
    failure.reply =
        deferral({4, 5, 0}, "this is not answered, while others are: " + failure.reply.text);
    return failure;
}

bool is_word_of_peer(const IqReply& reply) {
    if (std::holds_alternative<Verdicts>(reply)) return true;
    const auto* error = std::get_if<StanzaError>(&reply);
    return error != nullptr && !error->ours.empty();
}

bool may_have_left(const IqReply& reply) {
    const auto* none = std::get_if<NoAnswer>(&reply);
    return none == nullptr || none->written;
}

bool is_unexplained(const IqReply& reply) {
    const auto* none = std::get_if<NoAnswer>(&reply);
    if (none != nullptr) return none->written && none->error.code == base::Errc::timeout;
    return classify(reply).is_unheard();
}

}  // namespace component
