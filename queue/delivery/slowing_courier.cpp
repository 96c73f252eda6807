#include "queue/delivery/slowing_courier.hpp"

#include "queue/sender_limits.hpp"

namespace queue {
namespace {

MessageOutcome slowed_down(const LeasedMessage& message, const std::string& domain,
                           std::chrono::milliseconds wait) {
    Deferred later{{450, {4, 7, 1}, domain + " complains of mail of this sender: it is slowed"},
                   "",
                   true,
                   std::chrono::ceil<std::chrono::seconds>(wait)};
    later.tried = false;
    MessageOutcome outcome{message.id, {}, false};
    for (const mail::Recipient& each : message.envelope.recipients)
        outcome.recipients.push_back({each.n, later});
    return outcome;
}

}  // namespace

base::Task<Readiness> SlowingCourier::prepare(Destination destination, Urgency urgency) {
    return courier_.prepare(std::move(destination), urgency);
}

LeaseLimits SlowingCourier::limits(const Destination& destination, const Ready& ready) {
    return courier_.limits(destination, ready);
}

std::chrono::milliseconds SlowingCourier::wait_of(const Destination& destination,
                                                  const LeasedMessage& message) {
    const auto& from = message.envelope.from;
    const bool was_sent = message.transfer && message.transfer->sent_before;
    if (message.origin.kind != Origin::Kind::smtp || !from || was_sent || message.call_back ||
        message.expires_at <= clock_.now())
        return std::chrono::milliseconds::zero();
    return slowed_.take_turn(sender_name(*from), destination.domain,
                             message.envelope.recipients.size());
}

base::Task<void> SlowingCourier::deliver(Destination destination,
                                         std::vector<LeasedMessage> messages, Tell tell) {
    std::vector<LeasedMessage> go;
    go.reserve(messages.size());
    for (LeasedMessage& message : messages) {
        const auto wait = wait_of(destination, message);
        if (wait > wait.zero())
            tell(slowed_down(message, destination.domain, wait));
        else
            go.push_back(std::move(message));
    }
    if (go.empty()) co_return;
    co_await courier_.deliver(std::move(destination), std::move(go), std::move(tell));
}

}  // namespace queue
