// CourierRound: mail that is not sent after all: as its peer cannot verify the sender's domain or
// takes no more of it for now, or as nothing goes over XMPP now.
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
    if (given_up(item, peer.jid)) {
        // As if the peer had said that we don't speak for it.
        item.other_way = why;
        item.for_now = true;
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
    if (!item.message.rule.required) return go_by_smtp(item, orders_.passed_by, true);
    Failure waits;
    waits.reply = {451, {4, 7, 0}, orders_.passed_by + ", and it goes over XMPP or not at all"};
    item.sending.give_up(waits);
    if (!item.sending.ended()) return;
    queue::Deferred later{waits.reply, "", false, {}};
    later.tried = false;
    give(item, later);
}

void CourierRound::pass_by(Peer& peer, const Batch& batch) {
    Failure unsent;
    unsent.reply = {451, {4, 4, 1}, orders_.passed_by};
    for (Item* item : batch) {
        item->sending.on_failure(item->whole, unsent, false);
        item->sending.try_again();
        is_put_off(peer, *item);
    }
}

Failure CourierRound::put_off(Peer& peer, Item& item, Failure failure) {
    const mail::Domain& domain = item.message.transfer->key.domain;
    const bool unverified = failure.kind == Failure::Kind::unverified;
    Failure judged = unverified ? weigh(peer, item, failure) : std::move(failure);
    Failure of_others = judged;
    // Whether another one is given up is its own rule's to say.
    if (unverified)
        of_others.kind = Failure::Kind::unverified;
    else
        domains_.add(domain, peer.jid, judged, clock_.steady());
    peer.put_off.insert_or_assign(domain, std::move(of_others));
    return judged;
}

bool CourierRound::is_put_off(Peer& peer, Item& item) {
    if (is_passed_by(item)) {
        pass_by(item);
        if (!item.done && item.sending.ended()) conclude(peer, item);
        return true;
    }
    const mail::Domain& domain = item.message.transfer->key.domain;
    if (!is_delivered(item)) return false;
    const auto found = peer.put_off.find(domain);
    std::optional<Failure> said;
    if (found != peer.put_off.end())
        said = found->second;
    else if (item.message.expires_at > now_)  // else it has its last try
        said = domains_.find(domain, peer.jid, clock_.steady());
    if (!said) return false;
    const Failure failure = std::move(*said);
    const bool unverified = failure.kind == Failure::Kind::unverified;
    if (unverified && given_up(item, peer.jid)) {
        go_by_smtp(item, failure.reply.text, true);
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
