// CourierRound: the outcome of what has ended.
#include "base/text.hpp"
#include "component/outgoing/courier_round.hpp"

#include <map>

namespace component {
namespace {

using Kind = Failure::Kind;

/// A verdict of these is a limit of the hop, which SMTP may not have (protocol rule 9).
bool is_for_smtp(const mail::EnhancedStatus& status) {
    return status == mail::EnhancedStatus{5, 3, 4} || status == mail::EnhancedStatus{5, 7, 1};
}

std::string with_peer(std::string_view peer, std::string_view text) {
    return base::printable(std::string(peer) + ": " + std::string(text), base::limits::kStatusText);
}

}  // namespace

void CourierRound::conclude(const Peer& peer, Item& item) {
    const Failure& failure = item.sending.failure();
    const std::string why =
        item.other_way.empty() ? with_peer(peer.jid, failure.reply.text) : item.other_way;
    const bool free = item.sending.end() == Sending::End::called_back ||
                      item.sending.end() == Sending::End::never_stored;
    if (item.sending.end() == Sending::End::decided) return settle(peer, item);
    if (item.sending.end() == Sending::End::conflict) {
        const std::string text =
            peer.jid + " knows transfer " + item.message.transfer->key.id +
            " with another message (id-reuse); one of the two sides may have been restored";
        return give(item, queue::Held{{451, {4, 5, 0}, text}, peer.jid});
    }
    if (item.unreadable) return give(item, queue::unreadable(*item.unreadable));
    if (free && (failure.kind == Kind::not_authorised || !item.other_way.empty()))
        return give(item, queue::Rerouted{why, item.for_now});
    if (free && failure.kind == Kind::malformed)
        return give(item, queue::Failed{{554, {5, 6, 0}, failure.reply.text}, peer.jid});
    if (free && item.too_many) return go_anew(item, failure.reply, peer.jid);
    if (item.sending.end() == Sending::End::called_back) {
        const mail::Reply reply{451, {4, 4, 1}, "the transfer was called back"};
        return go_anew(item, reply, peer.jid);
    }
    defer(item, failure.reply, peer.jid, failure.retry_after);
}

void CourierRound::settle(const Peer& peer, Item& item) {
    using queue::Handover;
    senders_.verified(item.message.transfer->key.domain, peer.jid);
    const Handover handover = item.message.transfer->dsn ? Handover::passed_on : Handover::relayed;
    std::vector<queue::RecipientOutcome> outcomes;
    std::map<std::uint32_t, const mail::Reply*> by_number;
    for (const auto& recipient : item.sending.verdict().recipients)
        by_number.emplace(recipient.n, &recipient.reply);
    for (const auto& recipient : item.message.envelope.recipients) {
        const mail::Reply& reply = *by_number.at(recipient.n);
        queue::Outcome outcome = queue::Failed{reply, peer.jid};
        if (reply.is_success()) {
            outcome = queue::Delivered{reply, peer.jid, handover};
        } else if (reply.is_transient()) {
            outcome = queue::Deferred{reply, peer.jid, true, {}};
        } else if (is_for_smtp(reply.status)) {
            outcome = queue::Rerouted{with_peer(peer.jid, reply.to_text())};
        }
        outcomes.push_back({recipient.n, std::move(outcome)});
    }
    tell(item, std::move(outcomes));
}

}  // namespace component
