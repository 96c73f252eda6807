#include "component/error_table.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace component {
namespace {

using Kind = Failure::Kind;

constexpr auto kIdReuseWait = std::chrono::hours(1);  // until an admin has looked

mail::Reply deferral(mail::EnhancedStatus status, std::string_view text) {
    return {451, status, base::printable(text, base::limits::kStatusText)};
}

bool is_one_of(std::string_view condition, std::initializer_list<std::string_view> conditions) {
    return std::ranges::find(conditions, condition) != conditions.end();
}

Failure classify_error(const StanzaError& error) {
    Failure failure;
    failure.retry_after = error.retry_after;
    failure.reply = deferral({4, 4, 1}, error.to_text());
    const auto& condition = error.condition;
    if (error.ours == "busy") {
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
        failure.reply.status = {4, 5, 0};
        failure.retry_after = kIdReuseWait;
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
    } else {
        // Whatever servers say when they cannot reach the peer concerns all members alike; an error
        // that nobody foresaw may concern one.
        failure.split_batch = !is_one_of(
            condition, {"remote-server-not-found", "remote-server-timeout", "recipient-unavailable",
                        "internal-server-error", "item-not-found", "gone", "redirect"});
    }
    return failure;
}

}  // namespace

Failure classify(const IqReply& reply) {
    if (const auto* error = std::get_if<StanzaError>(&reply)) return classify_error(*error);
    Failure failure;
    if (const auto* none = std::get_if<NoAnswer>(&reply)) {
        failure.reply = deferral({4, 4, 1}, none->error.text);
    } else if (const auto* malformed = std::get_if<Malformed>(&reply)) {
        failure.reply = deferral({4, 5, 0}, "the peer's answer is malformed: " + malformed->why);
        failure.split_batch = true;
    } else {
        failure.reply = deferral({4, 5, 0}, "the peer's answer has no verdicts");
        failure.split_batch = true;
    }
    return failure;
}

}  // namespace component
