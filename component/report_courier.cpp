#include "component/report_courier.hpp"

#include "base/text.hpp"
#include "component/error_table.hpp"
#include "component/transfer_codec.hpp"

namespace component {
namespace {

using Kind = Failure::Kind;

/// Reports are small, and few: one after the other, some such rows at a time.
constexpr std::size_t kConcurrency = 4;
constexpr std::size_t kAtOnce = 20;  // reports of one lease
constexpr std::size_t kBytes = 1u << 20;

mail::Reply reply(int code, mail::EnhancedStatus status, std::string_view text) {
    return {code, status, base::printable(text, base::limits::kStatusText)};
}

queue::Outcome outcome_of(const IqReply& answer, const std::string& peer) {
    if (std::holds_alternative<TagResult>(answer))
        return queue::Delivered{reply(250, {2, 0, 0}, "the report was taken"), peer};
    const Failure failure = classify(answer);
    const std::string text = peer + ": " + failure.reply.text;
    switch (failure.kind) {
        case Kind::not_open:
            return queue::Failed{reply(554, {5, 0, 0}, peer + " does not know the transfer"), peer};
        case Kind::not_authorised:
            return queue::Failed{reply(554, {5, 7, 1}, text), peer};
        case Kind::malformed:
            return queue::Failed{reply(554, {5, 5, 0}, text), peer};
        default:
            // A component that is just down is no reason to give up: the report's time may be.
            return queue::Deferred{failure.reply, peer, !failure.is_unheard(), failure.retry_after};
    }
}

}  // namespace

std::size_t ReportCourier::concurrency() const {
    return kConcurrency;
}

Link* ReportCourier::link_of(const queue::Destination& destination) const {
    const auto found = links_.find(destination.component);
    if (found == links_.end() || !found->second->established()) return nullptr;
    return found->second;
}

base::Task<queue::Readiness> ReportCourier::prepare(queue::Destination destination) {
    if (link_of(destination) == nullptr)
        co_return queue::Deferred{
            reply(451, {4, 4, 1}, "our own XMPP link (" + destination.component + ") is down"),
            {},
            false,
            {}};
    co_return queue::Ready{destination.domain, {kAtOnce, kAtOnce, kBytes}};
}

base::Task<void> ReportCourier::deliver(queue::Destination destination,
                                        std::vector<queue::LeasedMessage> messages,
                                        queue::Tell tell) {
    const std::string& peer = destination.domain;
    bool silent = false;
    for (const queue::LeasedMessage& message : messages) {
        Link* const link = link_of(destination);
        queue::Outcome outcome =
            queue::Deferred{reply(451, {4, 4, 1}, "the peer did not answer"), peer, false, {}};
        if (link != nullptr && !silent) {
            mail::Content content = message.content;
            outcome = co_await send(*link, peer, std::move(content));
            const auto* const deferred = std::get_if<queue::Deferred>(&outcome);
            silent = deferred != nullptr && !deferred->settled;
        }
        queue::MessageOutcome told{message.id, {}, true};
        for (const auto& recipient : message.envelope.recipients)
            told.recipients.push_back({recipient.n, outcome});
        tell(std::move(told));
    }
}

base::Task<queue::Outcome> ReportCourier::send(Link& link, std::string peer,
                                               mail::Content content) {
    const auto report = queue::decode_peer_report(content.bytes());
    auto payload = report ? encode_report(*report) : base::Result<std::string>(report.error());
    if (!payload) co_return queue::Failed{reply(554, {5, 6, 0}, payload.error().text), {}};
    // What it announced last, if anything: a component without it would not understand.
    if (discovery_.takes_no_reports(peer))
        co_return queue::Failed{reply(554, {5, 3, 3}, peer + " takes no reports"), peer};
    std::string type = "set";
    const IqReply answer =
        co_await link.request(peer, std::move(type), std::move(*payload), answer_time_);
    co_return outcome_of(answer, peer);
}

}  // namespace component
