#include "component/xmpp_courier.hpp"

#include "base/text.hpp"
#include "component/courier_round.hpp"
#include "component/log.hpp"

#include <algorithm>

namespace component {
namespace {

constexpr unsigned kMostHalvings = 6;  // then a lease is a 64th, which is one message at least
constexpr std::size_t kPeersSlowed = 10000;   // peers that are remembered as slow
constexpr std::size_t kSmallestLease = 1024;  // bytes

}  // namespace

std::size_t stanza_bound(const ComponentSettings& ours, const Capability& theirs) {
    // Servers write stanzas anew, with other quotes and prefixes.
    return std::min(ours.max_stanza, theirs.max_stanza) / 10 * 9;
}

XmppCourier::XmppCourier(std::map<std::string, Link*> links, Discovery& discovery,
                         base::Clock& clock, CourierSettings settings)
    : links_(std::move(links)), discovery_(discovery), clock_(clock), settings_(settings) {}

XmppCourier::~XmppCourier() = default;

Link* XmppCourier::link_of(const queue::Destination& destination) const {
    const auto found = links_.find(destination.component);
    return found == links_.end() ? nullptr : found->second;
}

queue::LeaseLimits XmppCourier::limits_for(const Link& link, const std::string& peer) const {
    const Capability theirs = discovery_.capability_of(peer);
    // Bytes that can't be compressed grow by a third; the rest of the stanza is for the envelopes.
    // What does not fit after all is split when it is encoded.
    std::size_t bytes = stanza_bound(link.settings(), theirs) / 4 * 3 / 10 * 9;
    bytes = std::min(bytes, theirs.window);
    const auto slowed = halvings_.find(peer);
    if (slowed != halvings_.end()) bytes = std::max(bytes >> slowed->second, kSmallestLease);
    queue::LeaseLimits limits;
    limits.messages = std::min(theirs.max_batch, base::limits::kLeaseMessages);
    if (link.settings().compress == Compress::each) limits.messages = 1;
    limits.recipients = theirs.max_recipients;
    limits.bytes = std::min(bytes, base::limits::kLeaseBytes);
    return limits;
}

base::Task<queue::Readiness> XmppCourier::prepare(queue::Destination destination) {
    const auto later = [](std::string_view why) {
        return queue::Deferred{
            {451, {4, 4, 1}, base::printable(why, base::limits::kStatusText)}, {}, false, {}};
    };
    Link* link = link_of(destination);
    if (link == nullptr || !link->established())
        co_return later("our own XMPP link (" + destination.component + ") is down");
    auto domain = mail::Domain::parse(destination.domain);
    if (!domain) co_return queue::Rerouted{"the domain is none: " + destination.domain};
    auto found = co_await discovery_.find(*link, *domain);
    if (found.state == Found::State::unsupported) co_return queue::Rerouted{found.why};
    if (found.state == Found::State::down) co_return later(found.why);
    co_return queue::Ready{found.component, limits_for(*link, found.component),
                           found.capability.retention};
}

base::Task<std::vector<queue::MessageOutcome>> XmppCourier::deliver(
    queue::Destination destination, std::vector<queue::LeasedMessage> messages) {
    CourierRound round(std::move(messages), clock_.now(), settings_.answer_time, codec_);
    Link* link = link_of(destination);
    if (link == nullptr || !link->established()) {
        round.defer_all({451, {4, 4, 1}, "our own XMPP link is down"});
        co_return round.take_outcomes();
    }
    // The fence: a transfer goes to the component that it was made for, whoever serves the domain
    // now.
    for (const std::string& peer : round.peers()) {
        const Capability theirs = discovery_.capability_of(peer);
        co_await round.deliver_to(*link, peer, theirs);
        if (round.was_too_much()) {
            slow_down(peer);
        } else if (round.was_answered()) {
            speed_up(peer);
        }
        if (round.was_not_there()) {
            if (auto domain = mail::Domain::parse(destination.domain)) discovery_.suspect(*domain);
        }
    }
    co_return round.take_outcomes();
}

void XmppCourier::slow_down(const std::string& peer) {
    if (!halvings_.contains(peer) && halvings_.size() >= kPeersSlowed) return;
    auto& halvings = halvings_[peer];
    halvings = std::min(halvings + 1, kMostHalvings);
}

void XmppCourier::speed_up(const std::string& peer) {
    const auto found = halvings_.find(peer);
    if (found != halvings_.end() && --found->second == 0) halvings_.erase(found);
}

}  // namespace component
