#include "queue/sqlite/intake/arrivals.hpp"

#include "queue/intake/receiving.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/store/complaint_rows.hpp"
#include "queue/sqlite/store/new_message.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "queue/sqlite/store/standings.hpp"

namespace queue {
namespace {

/// Those whose lane can't carry the message. Returns what there is to do now.
base::Result<DueNow> reroute_unfit(Store& store, QueueId id, const Arrival& arrival) {
    std::vector<std::uint32_t> rerouted;
    for (std::size_t i = 0; arrival.unfit && i < arrival.destinations.size(); ++i) {
        if (arrival.destinations[i].lane == Lane::xmpp)
            rerouted.push_back(arrival.envelope.recipients[i].n);
    }
    if (rerouted.empty()) return DueNow();
    return reroute_recipients(store, id, rerouted, *arrival.unfit);
}

/// Until an administrator releases it; what has ended already has.
void hold(Store& store, QueueId id, const std::string& why) {
    {
        Query update = store.database().query(
            "UPDATE recipient SET state = {held}, code = 450, status = '4.7.1', reply = ?2"
            " WHERE message = ?1 AND state = {queued}"_sql);
        update.bind(id.value, why).run();
    }
    if (store.database().changes() > 0) add_event(store, id, std::nullopt, "held", why);
}

/// A peer's share of the queue.
base::Result<void> take_room(Store& store, const Arrival& arrival) {
    if (arrival.origin.kind != Origin::Kind::xmpp) return {};
    const std::string& peer = arrival.origin.client;
    const std::size_t size = arrival.content.size();
    if (!store.peer_load().has_room(peer, size))
        return base::fail(base::Errc::busy, "too much mail of " + peer + " is here already");
    store.after_commit([&store, peer, size] { store.peer_load().came(peer, size); });
    return {};
}

/// What the verdict on a transfer says of its domain. What may be different next time says nothing.
PeerFigures figures_of(const ReceivedTransfer& transfer) {
    PeerFigures figures;
    for (const RecipientVerdict& verdict : transfer.verdicts) {
        const bool is_unknown = is_unknown_recipient(verdict.reply);
        if (!verdict.reply.is_success() && !is_unknown) continue;
        if (verdict.reply.is_success()) figures.messages = 1;
        ++figures.recipients;
        figures.unknown += is_unknown ? 1 : 0;
    }
    return figures;
}

}  // namespace

base::Result<Receipt> add_arrival(Store& store, const Arrival& arrival) {
    Receipt receipt;
    if (arrival.transfer) {
        const ReceivedTransfer& transfer = *arrival.transfer;
        KnownTransfer known = find_transfer(store, transfer.key);
        switch (finish(known, transfer)) {
            case Effect::changed:
                break;
            case Effect::same:
                receipt.id = known.queue_id;
                receipt.earlier = std::move(known);
                return receipt;
            case Effect::conflict:
                return base::fail(base::Errc::conflict, "transfer " + transfer.key.id +
                                                            " was here before, as another message");
            default:
                return base::fail(base::Errc::not_found, "the transfer is not complete");
        }
    }
    // Only the doors are bound to it: the reserve is there for what has to be written about mail
    // that is here.
    // What is in a file has its room already.
    const std::size_t more = arrival.file ? 0 : arrival.content.size();
    if (auto space = store.check_space(more); !space) return space.error();
    if (arrival.transfer) receipt.sender_class = class_of_peer(store, arrival.transfer->key.domain);
    if (!arrival.envelope.recipients.empty()) {
        if (auto room = take_room(store, arrival); !room) return room.error();
        auto id = insert_message(store, arrival, receipt.sender_class);
        if (!id) return id.error();
        receipt.id = *id;
        auto rerouted = reroute_unfit(store, *id, arrival);
        if (!rerouted) return rerouted.error();
        receipt.rerouted = std::move(*rerouted);
        if (arrival.held) hold(store, *id, *arrival.held);
    }
    if (arrival.transfer) {
        insert_verdict(store, *arrival.transfer, receipt.id);
        if (receipt.id) keep_received(store, arrival);
        count_for_peer(store, arrival.transfer->key.domain, figures_of(*arrival.transfer));
    }
    return receipt;
}

}  // namespace queue
