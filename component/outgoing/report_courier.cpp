#include "component/outgoing/report_courier.hpp"

#include "base/text.hpp"
#include "component/outgoing/stanza_bounds.hpp"
#include "component/protocol/error_table.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "queue/complaint.hpp"

namespace component {
namespace {

using Kind = Failure::Kind;

/// Reports are small, and few: one after the other, some such rows at a time.
constexpr std::size_t kConcurrency = 4;
constexpr std::size_t kLeased = 20;  // reports of one lease
constexpr std::size_t kBytes = 1u << 20;

mail::Reply reply(int code, mail::EnhancedStatus status, std::string_view text) {
    return {code, status, base::printable(text, base::limits::kStatusText)};
}

/// As many reports as stanzas with `bound` bytes of payload need. Each line has a number of its
/// own, from `seq` on, so that each part has one, too.
void divide(queue::PeerReport report, std::size_t bound, std::vector<queue::PeerReport>& parts) {
    const auto payload = encode_report(report);
    const std::size_t lines = report.recipients.size();
    if (lines == 1 || !payload || payload->size() <= bound) {
        parts.push_back(std::move(report));
        return;
    }
    const auto half = report.recipients.begin() + static_cast<std::ptrdiff_t>(lines / 2);
    queue::PeerReport rest{report.key,
                           report.seq + static_cast<std::uint32_t>(lines / 2),
                           {half, report.recipients.end()}};
    report.recipients.erase(half, report.recipients.end());
    divide(std::move(report), bound, parts);
    divide(std::move(rest), bound, parts);
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

base::Task<queue::Readiness> ReportCourier::prepare(queue::Destination destination,
                                                    queue::Urgency /*urgency*/) {
    if (link_of(destination) == nullptr) {
        queue::Deferred down{
            reply(451, {4, 4, 1}, "our own XMPP link (" + destination.component + ") is down"),
            {},
            false,
            {}};
        down.tried = false;
        co_return down;
    }
    co_return queue::Ready{destination.domain, {kLeased, kLeased, kBytes}};
}

base::Task<void> ReportCourier::deliver(queue::Destination destination,
                                        std::vector<queue::LeasedMessage> messages,
                                        queue::Tell tell) {
    const std::string& peer = destination.domain;
    bool silent = false;
    for (const queue::LeasedMessage& message : messages) {
        Link* const link = link_of(destination);
        queue::Deferred unheard{reply(451, {4, 4, 1}, "the peer did not answer"), peer, false, {}};
        unheard.tried = link != nullptr;
        queue::Outcome outcome = unheard;
        if (link != nullptr && !silent) {
            queue::Content content = message.content;
            outcome = co_await send(*link, peer, std::move(content));
            const auto* const deferred = std::get_if<queue::Deferred>(&outcome);
            // What is our own says nothing of the peer.
            silent = deferred != nullptr && !deferred->settled && !deferred->remote.empty();
        }
        queue::MessageOutcome settled{message.id, {}, true};
        for (const auto& recipient : message.envelope.recipients)
            settled.recipients.push_back({recipient.n, outcome});
        tell(std::move(settled));
    }
}

base::Task<queue::Outcome> ReportCourier::send(Link& link, std::string peer,
                                               queue::Content content) {
    const auto bytes = co_await content.read(0, content.size());
    if (!bytes) co_return queue::unreadable(bytes.error());
    if (queue::is_complaints(bytes->bytes())) {
        std::string text(bytes->bytes());
        co_return co_await send_complaints(link, std::move(peer), std::move(text));
    }
    const auto report = queue::decode_peer_report(bytes->bytes());
    if (!report) co_return queue::Failed{reply(554, {5, 6, 0}, report.error().text), {}};
    // What it announced last, if anything: a component without it would not understand.
    if (discovery_.takes_no_reports(peer))
        co_return queue::Failed{reply(554, {5, 3, 3}, peer + " takes no reports"), peer};
    std::vector<queue::PeerReport> parts;
    divide(*report, payload_bound(link.settings(), discovery_.capability_of(peer)), parts);
    queue::Outcome outcome;
    for (queue::PeerReport& part : parts) {
        outcome = co_await send_part(link, peer, std::move(part));
        // What was taken already is taken once, whenever it comes again.
        if (!std::holds_alternative<queue::Delivered>(outcome)) break;
    }
    co_return outcome;
}

base::Task<std::optional<queue::Outcome>> ReportCourier::refuse_complaints(Link& link,
                                                                           std::string peer,
                                                                           mail::Domain domain) {
    const Found found =
        co_await discovery_.find(link, std::move(domain), Discovery::Reason::waiting_mail);
    if (found.state == Found::State::down)
        co_return queue::Deferred{reply(451, {4, 4, 1}, found.why), peer, false, {}};
    const bool takes = found.state == Found::State::supported && found.component == peer &&
                       found.capability.complaint;
    if (takes) co_return std::nullopt;
    co_return queue::Failed{reply(554, {5, 3, 3}, peer + " takes no complaints"), peer};
}

base::Task<queue::Outcome> ReportCourier::send_complaints(Link& link, std::string peer,
                                                          std::string text) {
    const auto complaints = queue::decode_complaints(text);
    if (!complaints || complaints->empty())
        co_return queue::Failed{reply(554, {5, 6, 0}, "stored complaints are damaged"), {}};
    mail::Domain domain = complaints->front().key.domain;
    auto refused = co_await refuse_complaints(link, peer, std::move(domain));
    if (refused) co_return std::move(*refused);
    for (const queue::Complaint& each : *complaints) {
        std::string payload = encode_complaint(each);
        std::string type = "set";
        const IqReply answer =
            co_await link.request(peer, std::move(type), std::move(payload), answer_time_);
        queue::Outcome outcome = outcome_of(answer, peer);
        // What the peer does not take, the others need not wait for. All are repeated with the
        // first that has to.
        if (std::holds_alternative<queue::Deferred>(outcome)) co_return outcome;
    }
    co_return queue::Delivered{reply(250, {2, 0, 0}, "the complaints were told"), peer};
}

base::Task<queue::Outcome> ReportCourier::send_part(Link& link, std::string peer,
                                                    queue::PeerReport part) {
    auto payload = encode_report(part);
    if (!payload) co_return queue::Failed{reply(554, {5, 6, 0}, payload.error().text), {}};
    std::string type = "set";
    const IqReply answer =
        co_await link.request(peer, std::move(type), std::move(*payload), answer_time_);
    co_return outcome_of(answer, peer);
}

}  // namespace component
