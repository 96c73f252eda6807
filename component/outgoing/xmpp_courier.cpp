#include "component/outgoing/xmpp_courier.hpp"

#include "base/text.hpp"
#include "component/log.hpp"
#include "component/outgoing/courier_round.hpp"
#include "component/outgoing/stanza_bounds.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr std::size_t kFlows = 10000;  // peers of whose patience something is remembered

}  // namespace

XmppCourier::XmppCourier(base::asio::any_io_executor executor, std::map<std::string, Link*> links,
                         Discovery& discovery, base::Clock& clock, CourierSettings settings)
    : executor_(std::move(executor)),
      links_(std::move(links)),
      discovery_(discovery),
      clock_(clock),
      settings_(settings) {}

XmppCourier::~XmppCourier() = default;

Link* XmppCourier::link_of(const queue::Destination& destination) const {
    const auto found = links_.find(destination.component);
    return found == links_.end() ? nullptr : found->second;
}

queue::LeaseLimits XmppCourier::limits_for(const Link& link, const std::string& peer) {
    const Capability theirs = discovery_.capability_of(peer);
    // Bytes that can't be compressed grow by a third; the rest of the stanza is for the envelopes.
    // What does not fit after all is split when it is encoded.
    const std::size_t stanza =
        std::min(stanza_bound(link.settings(), theirs), flow_to(peer)->stanza());
    const std::size_t bytes = std::min(stanza / 4 * 3 / 10 * 9, theirs.window);
    queue::LeaseLimits limits;
    limits.messages = std::min(theirs.max_batch, base::limits::kLeaseMessages);
    if (link.settings().compress == Compress::each) limits.messages = 1;
    limits.recipients = recipients_bound(link.settings(), theirs);
    limits.bytes = std::min(bytes, base::limits::kLeaseBytes);
    limits.envelope = {payload_bound(link.settings(), theirs), size_of_open, size_of_recipient};
    return limits;
}

base::Task<queue::Readiness> XmppCourier::prepare(queue::Destination destination,
                                                  queue::Urgency urgency) {
    const auto later = [](std::string_view why, const std::string& peer = {}) {
        return queue::Deferred{
            {451, {4, 4, 1}, base::printable(why, base::limits::kStatusText)}, peer, false, {}};
    };
    Link* link = link_of(destination);
    auto domain = mail::Domain::parse(destination.domain);
    if (domain && discovery_.is_ours(*domain))
        co_return queue::Rerouted{destination.domain + " is served here"};
    if (link == nullptr)
        co_return queue::Rerouted{destination.component + " is no component of ours any more"};
    // Out of service, it may still send: mail that may not go by SMTP would else go neither way
    // until its peer has read that the promise is withdrawn.
    if (link->settings().retired && !is_promised_(destination))
        co_return queue::Rerouted{destination.component + " is retired"};
    if (!passed_by_.empty()) co_return queue::Rerouted{passed_by_};
    if (!link->established()) {
        auto down = later("our own XMPP link (" + destination.component + ") is down");
        down.tried = false;
        co_return down;
    }
    if (!domain) co_return queue::Rerouted{"the domain is none: " + destination.domain};
    using Reason = Discovery::Reason;
    const Reason reason =
        urgency == queue::Urgency::fresh ? Reason::new_mail : Reason::waiting_mail;
    auto found = co_await discovery_.find(*link, *domain, reason);
    if (found.state == Found::State::unsupported) co_return queue::Rerouted{found.why};
    if (found.state == Found::State::down) {
        auto down = later(found.why, found.component);
        down.since = found.down_since;
        co_return down;
    }
    co_return queue::Ready{found.component,
                           limits_for(*link, found.component),
                           found.capability.retention,
                           {},
                           found.capability.dsn};
}

queue::LeaseLimits XmppCourier::limits(const queue::Destination& destination,
                                       const queue::Ready& ready) {
    Link* const link = link_of(destination);
    queue::LeaseLimits limits = link == nullptr ? ready.limits : limits_for(*link, ready.peer);
    if (!passed_by_.empty()) limits.messages = 0;
    return limits;
}

base::Task<void> XmppCourier::deliver(queue::Destination destination,
                                      std::vector<queue::LeasedMessage> messages,
                                      queue::Tell tell) {
    const auto domain = mail::Domain::parse(destination.domain);
    queue::Tell watch = [this, &domain, &tell](queue::MessageOutcome outcome) {
        const bool taken = std::ranges::any_of(outcome.recipients, [](const auto& recipient) {
            return std::holds_alternative<queue::Delivered>(recipient.outcome);
        });
        if (taken && domain) discovery_.sent_to(*domain);
        tell(std::move(outcome));
    };
    CourierRound round(executor_, std::move(messages), clock_, settings_.answer_time, codec_,
                       senders_, domains_, {stopping_, passed_by_}, std::move(watch));
    Link* link = link_of(destination);
    if (link == nullptr) {
        // No other can speak for it: to its peer, the transfer is this component's. That is no
        // silence, which a sign of life would end: it ends when its time is up.
        round.defer_all(
            {451,
             {4, 3, 5},
             destination.component + " is no component of ours any more, and may have sent it"},
            true);
        co_return;
    }
    if (!link->established()) {
        round.defer_all({451, {4, 4, 1}, "our own XMPP link is down"});
        co_return;
    }
    // The fence: a transfer goes to the component that it was made for, whoever serves the domain
    // now.
    for (const std::string& peer : round.peers()) {
        const Capability theirs = discovery_.capability_of(peer);
        const std::shared_ptr<Flow> flow = flow_to(peer);
        co_await round.deliver_to(*link, peer, theirs, flow);
        if (round.was_not_there()) {
            if (domain) discovery_.suspect(*domain);
        }
    }
    // A lease without a transfer breaks the port's contract; it waits rather than vanishes.
    round.defer_all({451, {4, 3, 0}, "it has no transfer id"});
}

std::size_t XmppCourier::holds() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(flows_, [](const auto& item) { return !item.second->is_idle(); }));
}

std::shared_ptr<Flow> XmppCourier::flow_to(const std::string& peer) {
    if (flows_.size() >= kFlows && !flows_.contains(peer))
        std::erase_if(flows_, [](const auto& item) { return item.second->is_idle(); });
    auto& flow = flows_[peer];
    if (!flow) flow = std::make_shared<Flow>(executor_);
    return flow;
}

}  // namespace component
