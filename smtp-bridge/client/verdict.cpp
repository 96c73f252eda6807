#include "smtp-bridge/client/verdict.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

namespace smtp_bridge {

using mail::Reply;

Reply as_verdict(const ServerReply& reply) {
    Reply verdict = reply.to_mail();
    if (verdict.code == 552 && verdict.status == mail::EnhancedStatus{5, 5, 3}) {
        verdict.code = 452;
        verdict.status.klass = 4;
    }
    if (verdict.code / 100 == 3)
        return {451,
                {4, 5, 0},
                base::printable("Unexpected reply: " + verdict.text, base::limits::kStatusText)};
    return verdict;
}

Reply as_rcpt_verdict(const ServerReply& reply) {
    Reply verdict = as_verdict(reply);
    if (verdict.code == 552 && verdict.status == mail::EnhancedStatus{5, 0, 0}) {
        verdict.code = 452;
        verdict.status = {4, 5, 3};
    }
    return verdict;
}

bool is_too_many(const Reply& rcpt_verdict) {
    const auto& status = rcpt_verdict.status;
    return rcpt_verdict.code == 452 &&
           (status == mail::EnhancedStatus{4, 5, 3} || status == mail::EnhancedStatus{4, 0, 0});
}

Reply as_deferral(const Reply& reply) {
    if (reply.is_transient()) return reply;
    return {
        451,
        {4, 4, 1},
        base::printable("The next hop refuses us: " + reply.to_text(), base::limits::kStatusText)};
}

}  // namespace smtp_bridge
