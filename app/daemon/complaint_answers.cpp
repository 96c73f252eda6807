#include "app/daemon/complaint_answers.hpp"

#include "app/daemon/control_answers.hpp"
#include "app/json_text.hpp"
#include "app/log.hpp"
#include "mail/own_trace.hpp"

namespace app {

namespace json = boost::json;

namespace {

/// True unless it says otherwise.
bool says_spam(const json::object& asked) {
    const auto* const spam = asked.if_contains("spam");
    return spam == nullptr || !spam->is_bool() || spam->as_bool();
}

}  // namespace

base::Task<json::object> answer_complaint(Daemon& daemon, json::object asked, std::int64_t uid) {
    if (!daemon.config().complaints.which.send)
        co_return refusal("complaints are off ([complaints] send = no)");
    const std::string header = text_of(asked, "header");
    auto trace =
        mail::find_own_trace(header, daemon.router().components(), daemon.config().authserv_id);
    if (!trace)
        co_return refusal("this mail has no trace field of ours: it did not come over XMPP");
    const std::string recipient = text_of(asked, "recipient");
    queue::CastVote vote{
        {std::move(trace->domain), std::move(trace->transfer_id)},
        std::move(trace->message_id),
        recipient.empty() ? std::move(trace->recipients) : std::vector<std::string>{recipient},
        says_spam(asked)};
    const bool is_spam = vote.is_spam;
    const std::string transfer = vote.key.id;
    const auto voted = co_await daemon.storage().write(std::move(vote));
    if (!voted) {
        log::complaint_refused(transfer, uid, voted.error());
        co_return refusal(voted.error().text);
    }
    const queue::Voted& done = **voted;
    if (done.counted) log::complaint(transfer, done.domain, done.recipient, is_spam, uid);
    co_return json::object{{"ok", true},
                           {"recipient", done.recipient},
                           {"domain", done.domain},
                           {"counted", done.counted}};
}

}  // namespace app
