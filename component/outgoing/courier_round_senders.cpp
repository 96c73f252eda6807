// CourierRound: mail that is not sent after all: as its peer cannot verify the sender's domain, or
// as nothing goes over XMPP now.
#include "base/text.hpp"
#include "component/log.hpp"
#include "component/outgoing/courier_round.hpp"

#include <algorithm>

namespace component {

Failure CourierRound::weigh(Peer& peer, Item& item, Failure failure) {
    const mail::Domain& domain = item.message.transfer->key.domain;
    failure.reply.text = base::printable(peer.jid + " cannot verify the sender's domain " +
                                             domain.ascii() + ": " + failure.reply.text,
                                         base::limits::kStatusText);
    const std::string& why = failure.reply.text;
    if (senders_.refused(domain, peer.jid, why, began_))
        log::sender_unverified(peer.jid, domain.ascii(), why);
    peer.unverified.insert_or_assign(domain, failure);
    if (given_up(item, peer.jid)) {
        // As if the peer had said that we don't speak for it.
        item.other_way = why;
        failure.kind = Failure::Kind::not_authorised;
    }
    return failure;
}

bool CourierRound::is_delivered(const Item& item) const {
    return !item.message.call_back && item.other_way.empty() && !item.too_many &&
           item.message.transfer->expires > now_;
}

bool CourierRound::is_passed_by(const Item& item) const {
    return !orders_.passed_by.empty() && is_delivered(item) && !item.sending.ended();
}

void CourierRound::pass_by(Item& item) {
    if (!item.message.rule.required) return go_by_smtp(item, orders_.passed_by);
    Failure waits;
    waits.reply = {451, {4, 7, 0}, orders_.passed_by + ", and it goes over XMPP or not at all"};
    item.sending.give_up(waits);
    if (!item.sending.ended()) return;
    queue::Deferred later{waits.reply, "", false, {}};
    later.tried = false;
    give(item, later);
}

bool CourierRound::is_put_off(Peer& peer, Item& item) {
    if (is_passed_by(item)) {
        pass_by(item);
        if (!item.done && item.sending.ended()) conclude(peer, item);
        return true;
    }
    const auto found = peer.unverified.find(item.message.transfer->key.domain);
    if (found == peer.unverified.end() || !is_delivered(item)) return false;
    const Failure failure = found->second;
    if (given_up(item, peer.jid)) {
        go_by_smtp(item, failure.reply.text);
    } else {
        item.sending.give_up(failure);
        conclude(peer, item);
    }
    return true;
}

std::optional<std::string> CourierRound::given_up(const Item& item, const std::string& peer) const {
    const queue::LaneRule& rule = item.message.rule;
    if (rule.required) return std::nullopt;
    const std::chrono::milliseconds most = kUnverifiedWait;
    return senders_.given_up(item.message.transfer->key.domain, peer,
                             std::min(most, rule.fallback_after.value_or(most)));
}

std::optional<std::string> CourierRound::given_up_unseen(const Item& item,
                                                         const std::string& peer) const {
    if (senders_.is_to_be_tried(item.message.transfer->key.domain, peer, began_))
        return std::nullopt;
    return given_up(item, peer);
}

}  // namespace component
