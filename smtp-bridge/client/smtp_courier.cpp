#include "smtp-bridge/client/smtp_courier.hpp"

#include "mail/alignment.hpp"
#include "mail/trace.hpp"
#include "smtp-bridge/log.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;

/// Mails on the way to one next hop at once: what a filter behind it, with a few workers, can use.
constexpr std::size_t kConcurrency = 10;
/// Mails that one delivery takes along, one after the other on a connection: each lease and each
/// settlement is a commit, which is better shared.
constexpr std::size_t kLeased = 20;
constexpr std::size_t kLeasedRecipients = 1000;
constexpr std::size_t kLeasedBytes = 1u << 20;

Reply no_return_to() {
    return {451, {4, 3, 5}, "No port is configured to hand mail back for SMTP (return-to)"};
}

/// For all of its recipients, of which nothing was sent.
queue::MessageOutcome unsent(const queue::LeasedMessage& message, const queue::Outcome& each) {
    queue::MessageOutcome outcome{message.id, {}, false};
    for (const auto& recipient : message.envelope.recipients)
        outcome.recipients.push_back({recipient.n, each});
    return outcome;
}

}  // namespace

SmtpCourier::SmtpCourier(asio::any_io_executor executor, Pools& pools, CourierSettings settings,
                         queue::OwnerLookup* owners)
    : settings_(std::move(settings)), owners_(owners), tasks_(executor) {
    for (const auto& [domain, targets] : settings_.deliver_to)
        local_[domain] = std::make_unique<NextHops>(pools, targets);
    if (!settings_.return_to.empty())
        relay_ = std::make_unique<NextHops>(pools, settings_.return_to);
}

std::size_t SmtpCourier::concurrency() const {
    return kConcurrency;
}

NextHops* SmtpCourier::hops_of(const queue::Destination& destination) const {
    if (destination.lane != queue::Lane::local) return relay_.get();
    // A domain whose rule is gone from the configuration goes the way of all others.
    const auto found = local_.find(destination.domain);
    return (found == local_.end() ? local_.at("") : found->second).get();
}

base::Task<queue::Readiness> SmtpCourier::prepare(queue::Destination destination,
                                                  queue::Urgency /*urgency*/) {
    const NextHops* hops = hops_of(destination);
    if (hops == nullptr) co_return queue::Deferred{no_return_to(), "", false, std::nullopt};
    if (const auto failure = hops->recent_failure())
        co_return queue::Deferred{*failure, hops->name(), false, std::nullopt};
    co_return queue::Ready{"", {kLeased, kLeasedRecipients, kLeasedBytes}};
}

base::Task<void> SmtpCourier::deliver(queue::Destination destination,
                                      std::vector<queue::LeasedMessage> messages,
                                      queue::Tell tell) {
    const base::TaskGroup::Member member(tasks_);
    NextHops* hops = hops_of(destination);
    for (const auto& message : messages) {
        if (hops == nullptr) {
            tell(unsent(message, queue::Deferred{no_return_to(), "", false, std::nullopt}));
            continue;
        }
        auto outcome = co_await deliver_one(*hops, destination.lane, message);
        tell(std::move(outcome));
    }
}

/// The fields that only the last hop over XMPP, or the way by SMTP, adds: what is known of mail
/// that came over XMPP; and of mail that our own mail server gave us, that it has, which is noticed
/// if it does so again and again.
base::Task<std::string> SmtpCourier::trace_of(const queue::LeasedMessage& message,
                                              std::string_view header) const {
    const auto& origin = message.origin;
    if (origin.kind == queue::Origin::Kind::smtp) {
        const mail::SmtpTrace trace{origin.helo, origin.client, settings_.hostname,
                                    message.id.to_text(), message.received_at};
        co_return mail::received_field(trace);
    }
    if (origin.kind != queue::Origin::Kind::xmpp || !origin.transfer) co_return std::string();
    const auto& envelope = message.envelope;
    mail::XmppTrace trace;
    trace.from = origin.client;
    trace.by = origin.component;
    trace.transfer_id = origin.transfer->id;
    trace.smtputf8 = envelope.smtputf8;
    trace.received_at = message.received_at;
    if (envelope.recipients.size() == 1)
        trace.for_address = envelope.recipients.front().address.text();
    const auto known = settings_.assurance.find(origin.component);
    mail::XmppAuthentication authentication{
        settings_.authserv_id, known == settings_.assurance.end() ? "none" : known->second,
        origin.transfer->domain, envelope.from ? envelope.from->domain().ascii() : std::string(),
        mail::author_domain(header)};
    authentication.peer_class = queue::to_text(message.sender_class);
    auto unclear = mail::to_look_up(authentication);
    if (owners_ != nullptr && !unclear.empty()) {
        auto cause = mail::Organisation::of(authentication.domain.ascii());
        authentication.owners = co_await owners_->find(std::move(unclear), std::move(cause));
    }
    co_return mail::authentication_results_field(authentication) + mail::received_field(trace);
}

base::Task<queue::MessageOutcome> SmtpCourier::deliver_one(NextHops& hops, queue::Lane lane,
                                                           const queue::LeasedMessage& message) {
    const auto header = co_await queue::read_header(message.content);
    if (!header) co_return unsent(message, queue::unreadable(header.error()));
    // A relay says that the mail went through it (RFC 5321 4.4), and changes nothing else.
    std::string head = co_await trace_of(message, header->bytes());
    std::size_t replaced = 0;
    if (lane == queue::Lane::local) {
        // Only the header is copied; the body, which may be large, goes out as it is. What claims
        // to be our finding goes, too, where there is none: whoever gets at the intake is no peer.
        head = mail::with_trace(head, header->bytes(), settings_.authserv_id);
        replaced = header->size();
    }
    const Parcel parcel{message.envelope, head, message.content, replaced};

    SendResult result(message.envelope.recipients.size());
    Attempts attempts(hops, result.left.size());
    for (bool go_on = true; go_on;) {
        auto taken = co_await hops.take(attempts.want(), std::nullopt);
        if (const auto* trouble = std::get_if<Reply>(&taken)) {
            for (const std::size_t place : result.left)
                result.outcomes[place] =
                    queue::Deferred{*trouble, hops.name(), false, std::nullopt};
            break;
        }
        const auto& lease = std::get<Pool::Lease>(taken);
        co_await lease->send(parcel, result);
        go_on = attempts.go_on(*lease, result.left.size());
    }
    if (result.maybe_taken)
        log::outcome_unknown(hops.name(), message.id.to_text(), "no reply to the final dot");
    queue::MessageOutcome outcome{message.id, {}, result.sent};
    for (std::size_t i = 0; i < result.outcomes.size(); ++i)
        outcome.recipients.push_back(
            {message.envelope.recipients[i].n, std::move(result.outcomes[i])});
    co_return outcome;
}

base::Task<void> SmtpCourier::stop() {
    co_await tasks_.join();
}

}  // namespace smtp_bridge
