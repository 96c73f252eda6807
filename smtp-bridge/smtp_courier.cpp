#include "smtp-bridge/smtp_courier.hpp"

#include "mail/header_scanner.hpp"
#include "mail/trace.hpp"
#include "smtp-bridge/log.hpp"

#include <boost/asio.hpp>

namespace smtp_bridge {
namespace {

using mail::Reply;

/// Mails on the way to one next hop at once: what a filter behind it, with a few workers, can use.
constexpr std::size_t kConcurrency = 10;

Reply no_return_to() {
    return {451, {4, 3, 5}, "No port is configured to hand mail back for SMTP (return-to)"};
}

queue::MessageOutcome all_deferred(const queue::LeasedMessage& message, const Reply& reply,
                                   const std::string& remote) {
    queue::MessageOutcome outcome{message.id, {}, false};
    for (const auto& recipient : message.envelope.recipients)
        outcome.recipients.push_back(
            {recipient.n, queue::Deferred{reply, remote, false, std::nullopt}});
    return outcome;
}

}  // namespace

SmtpCourier::SmtpCourier(asio::any_io_executor executor, CourierSettings settings)
    : settings_(std::move(settings)), tasks_(executor) {
    const ClientSettings client{settings_.hostname, settings_.times};
    local_ = std::make_unique<Pool>(executor, PoolSettings{settings_.deliver_to, client});
    if (settings_.return_to)
        relay_ = std::make_unique<Pool>(executor, PoolSettings{*settings_.return_to, client});
}

std::size_t SmtpCourier::concurrency() const {
    return kConcurrency;
}

Pool* SmtpCourier::pool_of(queue::Lane lane) const {
    return lane == queue::Lane::local ? local_.get() : relay_.get();
}

base::Task<queue::Readiness> SmtpCourier::prepare(queue::Destination destination) {
    const Pool* pool = pool_of(destination.lane);
    if (pool == nullptr) co_return queue::Deferred{no_return_to(), "", false, std::nullopt};
    if (const auto failure = pool->recent_failure())
        co_return queue::Deferred{*failure, pool->target().to_text(), false, std::nullopt};
    co_return queue::Ready{"", {}};
}

base::Task<void> SmtpCourier::deliver(queue::Destination destination,
                                      std::vector<queue::LeasedMessage> messages,
                                      queue::Tell tell) {
    const base::TaskGroup::Member member(tasks_);
    Pool* pool = pool_of(destination.lane);
    for (const auto& message : messages) {
        if (pool == nullptr) {
            tell(all_deferred(message, no_return_to(), ""));
            continue;
        }
        auto outcome = co_await deliver_one(*pool, destination.lane, message);
        tell(std::move(outcome));
    }
}

/// The fields that only the last hop adds, to mail that came over XMPP.
std::string SmtpCourier::trace_of(const queue::LeasedMessage& message) const {
    const auto& origin = message.origin;
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
    const mail::XmppAuthentication authentication{
        settings_.hostname, known == settings_.assurance.end() ? "none" : known->second,
        origin.transfer->domain, envelope.from ? envelope.from->domain().ascii() : std::string()};
    return mail::authentication_results_field(authentication) + mail::received_field(trace);
}

base::Task<queue::MessageOutcome> SmtpCourier::deliver_one(Pool& pool, queue::Lane lane,
                                                           const queue::LeasedMessage& message) {
    const std::string_view bytes = message.content.bytes();
    std::string head;
    std::size_t replaced = 0;
    if (lane == queue::Lane::local && message.origin.kind == queue::Origin::Kind::xmpp &&
        message.origin.transfer) {
        // Only the header is copied; the body, which may be large, goes out as it is.
        const auto header = mail::header_of(bytes);
        head = mail::with_trace(trace_of(message), header, settings_.hostname);
        replaced = header.size();
    }
    const Parcel parcel{message.envelope, head, message.content, replaced};

    SendResult result;
    auto want = Pool::Want::any;
    for (;;) {
        auto taken = co_await pool.take(want, std::nullopt);
        if (const auto* trouble = std::get_if<Reply>(&taken))
            co_return all_deferred(message, *trouble, pool.target().to_text());
        auto& lease = std::get<Pool::Lease>(taken);
        result = co_await lease->send(parcel);
        // A kept connection that died while it was idle says nothing about the mail.
        if (!result.stale || want == Pool::Want::fresh) break;
        want = Pool::Want::fresh;
    }
    if (result.maybe_taken)
        log::outcome_unknown(pool.target().to_text(), message.id.to_text(),
                             "no reply to the final dot");
    queue::MessageOutcome outcome{message.id, {}, result.sent};
    for (std::size_t i = 0; i < result.outcomes.size(); ++i)
        outcome.recipients.push_back(
            {message.envelope.recipients[i].n, std::move(result.outcomes[i])});
    co_return outcome;
}

base::Task<void> SmtpCourier::stop() {
    co_await local_->stop();
    if (relay_) co_await relay_->stop();
    co_await tasks_.join();
}

}  // namespace smtp_bridge
