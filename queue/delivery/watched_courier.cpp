#include "queue/delivery/watched_courier.hpp"

#include <algorithm>
#include <map>

namespace queue {
namespace {

std::size_t count_unknown(const MessageOutcome& outcome) {
    const auto unknown = std::ranges::count_if(outcome.recipients, [](const auto& each) {
        const auto* const failed = std::get_if<Failed>(&each.outcome);
        return failed != nullptr && failed->reply.is_about_recipient();
    });
    return static_cast<std::size_t>(unknown);
}

}  // namespace

base::Task<Readiness> WatchedCourier::prepare(Destination destination, Urgency urgency) {
    return courier_.prepare(std::move(destination), urgency);
}

LeaseLimits WatchedCourier::limits(const Destination& destination, const Ready& ready) {
    return courier_.limits(destination, ready);
}

base::Task<void> WatchedCourier::deliver(Destination destination,
                                         std::vector<LeasedMessage> messages, Tell tell) {
    // Mail of peers is theirs to count, and a foreign sender is nobody we know.
    std::map<QueueId, mail::Mailbox> ours;
    for (const LeasedMessage& message : messages) {
        const auto& from = message.envelope.from;
        if (message.origin.kind == Origin::Kind::smtp && from &&
            router_.component_for_sender(from->domain()))
            ours.emplace(message.id, *from);
    }
    const Tell watched = [&](MessageOutcome outcome) {
        const std::size_t unknown = count_unknown(outcome);
        const auto sender = ours.find(outcome.id);
        if (unknown > 0 && sender != ours.end()) senders_.met_unknown(sender->second, unknown);
        tell(std::move(outcome));
    };
    co_await courier_.deliver(std::move(destination), std::move(messages), watched);
}

}  // namespace queue
