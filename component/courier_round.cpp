#include "component/courier_round.hpp"

#include "base/text.hpp"
#include "component/log.hpp"

#include <algorithm>
#include <map>

namespace component {
namespace {

constexpr std::size_t kIqOverhead = 400;  // bytes around a payload: <iq/>, an id, two JIDs

/// A verdict of these is a limit of the hop, which SMTP may not have (protocol rule 9).
bool is_for_smtp(const mail::EnhancedStatus& status) {
    return status == mail::EnhancedStatus{5, 3, 4} || status == mail::EnhancedStatus{5, 7, 1};
}

std::string with_peer(std::string_view peer, std::string_view text) {
    return base::printable(std::string(peer) + ": " + std::string(text), base::limits::kStatusText);
}

}  // namespace

CourierRound::CourierRound(std::vector<queue::LeasedMessage> messages, base::TimePoint now,
                           std::chrono::milliseconds answer_time, BlockCodec& codec)
    : now_(now), answer_time_(answer_time), codec_(codec) {
    for (auto& message : messages) {
        auto item = std::make_unique<Item>(Item{std::move(message), {}, false, false, false});
        item->fenced = item->message.transfer && item->message.transfer->sent_before;
        items_.push_back(std::move(item));
    }
}

std::vector<std::string> CourierRound::peers() const {
    std::vector<std::string> peers;
    for (const auto& item : items_) {
        if (!item->message.transfer) continue;
        if (std::ranges::find(peers, item->message.transfer->peer) == peers.end())
            peers.push_back(item->message.transfer->peer);
    }
    return peers;
}

void CourierRound::give(Item& item, const queue::Outcome& outcome) {
    item.outcomes.clear();
    for (const auto& recipient : item.message.envelope.recipients)
        item.outcomes.push_back({recipient.n, outcome});
    item.done = true;
}

void CourierRound::defer(Item& item, const mail::Reply& reply, const std::string& remote,
                         std::optional<std::chrono::seconds> retry_after) {
    give(item, queue::Deferred{reply, remote, false, retry_after});
}

void CourierRound::reroute_or_defer(Item& item, const std::string& why, mail::EnhancedStatus status,
                                    const std::string& remote) {
    if (!item.fenced) return give(item, queue::Rerouted{why});
    defer(item, {451, status, base::printable(why, base::limits::kStatusText)}, remote);
}

void CourierRound::defer_all(const mail::Reply& reply) {
    for (auto& item : items_) {
        if (!item->done) defer(*item, reply, {});
    }
}

std::vector<queue::MessageOutcome> CourierRound::take_outcomes() {
    // A lease without a transfer breaks the port's contract; it waits rather than vanishes.
    defer_all({451, {4, 3, 0}, "it has no transfer id"});
    std::vector<queue::MessageOutcome> outcomes;
    for (auto& item : items_)
        outcomes.push_back({item->message.id, std::move(item->outcomes), item->sent});
    return outcomes;
}

base::Task<void> CourierRound::deliver_to(Link& link, std::string jid, Capability theirs) {
    too_much_ = answered_ = not_there_ = false;
    Peer peer{link, std::move(jid), std::move(theirs), 0, false};
    const std::size_t bound = stanza_bound(link.settings(), peer.theirs);
    peer.bound = bound - std::min(bound, kIqOverhead);
    auto batches = make_batches(peer);
    for (auto& batch : batches)
        co_await send_batch(peer, std::move(batch));
}

bool CourierRound::admit(Item& item, const Peer& peer) {
    const auto& envelope = item.message.envelope;
    const auto& transfer = *item.message.transfer;
    if (transfer.expires <= now_) {
        defer(item, {451, {4, 4, 7}, "the transfer has expired"}, peer.jid);
    } else if (transfer.expires > now_ + peer.theirs.retention && !item.fenced) {
        // Its receiver would refuse it; a new id with another end is the queue's to make.
        give(item,
             queue::Deferred{{451, {4, 4, 7}, "the transfer expires later than the peer remembers"},
                             peer.jid,
                             true,
                             {}});
    } else if (item.message.content.size() >
               std::min({peer.theirs.max_size, peer.theirs.window, base::limits::kBlock})) {
        reroute_or_defer(item, "larger than " + peer.jid + " takes", {4, 3, 4}, peer.jid);
    } else if (envelope.recipients.size() > peer.theirs.max_recipients) {
        defer(item, {451, {4, 5, 3}, "more recipients than the peer takes at once"}, peer.jid);
    } else if ((envelope.body == mail::Body::eight_bit_mime && !peer.theirs.eight_bit_mime) ||
               (envelope.smtputf8 && !peer.theirs.smtputf8) ||
               (envelope.requiretls && !peer.theirs.requiretls)) {
        reroute_or_defer(item, peer.jid + " lacks an extension that it needs", {4, 6, 3}, peer.jid);
    }
    return !item.done;
}

std::vector<CourierRound::Batch> CourierRound::make_batches(const Peer& peer) {
    std::vector<Batch> batches;
    std::size_t recipients = 0;
    std::size_t bytes = 0;
    const bool alone = peer.link.settings().compress == Compress::each;
    for (auto& item : items_) {
        if (item->done || !item->message.transfer || item->message.transfer->peer != peer.jid)
            continue;
        if (!admit(*item, peer)) continue;
        const std::size_t more = item->message.envelope.recipients.size();
        const std::size_t size = item->message.content.size();
        const bool full =
            batches.empty() || alone || batches.back().size() >= peer.theirs.max_batch ||
            recipients + more > peer.theirs.max_recipients || bytes + size > peer.theirs.window;
        if (full) {
            batches.emplace_back();
            recipients = bytes = 0;
        }
        batches.back().push_back(item.get());
        recipients += more;
        bytes += size;
    }
    return batches;
}

base::Task<void> CourierRound::send_split(Peer& peer, Batch batch) {
    const auto half = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
    Batch first(batch.begin(), half);
    Batch second(half, batch.end());
    co_await send_batch(peer, std::move(first));
    co_await send_batch(peer, std::move(second));
}

base::Task<void> CourierRound::send_batch(Peer& peer, Batch batch) {
    if (peer.gone) {
        for (Item* item : batch)
            defer(*item, {451, {4, 4, 1}, "the peer did not answer"}, peer.jid);
        co_return;
    }
    std::vector<OutgoingMessage> messages;
    for (const Item* item : batch) {
        const auto& message = item->message;
        messages.push_back(
            {message.transfer->key, message.envelope, message.content, message.transfer->expires});
    }
    const EncodeOptions options{peer.link.settings().compress != Compress::none, peer.theirs.dsn};
    auto payload = encode_transfers(messages, options, codec_);
    const bool fits = payload && payload->size() <= peer.bound;
    if (!fits && batch.size() > 1) {
        co_await send_split(peer, std::move(batch));
        co_return;
    }
    if (!fits) {
        const std::string why =
            payload ? "too large for one stanza to " + peer.jid : payload.error().text;
        reroute_or_defer(*batch.front(), why, {4, 3, 4}, peer.jid);
        co_return;
    }
    messages.clear();
    const std::size_t bytes = payload->size();
    const auto began = std::chrono::steady_clock::now();
    auto reply = co_await peer.link.request(peer.jid, "set", std::move(*payload), answer_time_);
    const auto took = std::chrono::steady_clock::now() - began;
    log::batch_sent(peer.jid, batch.size(), bytes,
                    std::chrono::duration_cast<std::chrono::milliseconds>(took));

    const auto* none = std::get_if<NoAnswer>(&reply);
    const auto note_sent = [&] {
        for (Item* item : batch)
            item->sent = true;
    };
    if (auto* verdicts = std::get_if<Verdicts>(&reply)) {
        answered_ = true;
        note_sent();
        settle(peer, batch, std::move(*verdicts));
        co_return;
    }
    const Failure failure = classify(reply);
    // The peer's own word that nothing was stored is as good as if nothing had been sent.
    const bool certainly_not = failure.stored_nothing && failure.kind != Failure::Kind::id_reuse;
    if (!certainly_not && (none == nullptr || none->written)) note_sent();
    log::refused_by_peer(peer.link.log_limiter(), peer.jid,
                         batch.front()->message.transfer->key.domain.ascii(), batch.size(),
                         failure.reply.status.to_text(), failure.reply.text);
    if (!failure.stored_nothing && (none == nullptr || none->written)) {
        for (Item* item : batch)
            item->fenced = true;
    }
    if (failure.split_batch && batch.size() > 1) {
        // One poisonous member must not hold the others.
        if (failure.kind == Failure::Kind::too_much) too_much_ = true;
        for (Item* item : batch) {
            Batch single(1, item);
            co_await send_batch(peer, std::move(single));
        }
        co_return;
    }
    for (Item* item : batch)
        fail(peer, *item, failure);
    if (!failure.split_batch) peer.gone = true;
}

void CourierRound::fail(const Peer& peer, Item& item, const Failure& failure) {
    using Kind = Failure::Kind;
    const std::string why = with_peer(peer.jid, failure.reply.text);
    if (failure.kind == Kind::too_much) too_much_ = true;
    if (failure.kind == Kind::not_there) not_there_ = true;
    if (failure.kind == Kind::not_authorised)
        return reroute_or_defer(item, why, failure.reply.status, peer.jid);
    if (failure.kind == Kind::malformed && !item.fenced)
        return give(item, queue::Failed{{554, {5, 6, 0}, failure.reply.text}, peer.jid});
    defer(item, failure.reply, peer.jid, failure.retry_after);
}

void CourierRound::settle(const Peer& peer, const Batch& batch, Verdicts verdicts) {
    std::map<queue::TransferKey, const Verdict*> by_key;
    for (const auto& verdict : verdicts)
        by_key.emplace(verdict.key, &verdict);
    for (Item* item : batch) {
        const auto found = by_key.find(item->message.transfer->key);
        if (found != by_key.end()) settle_one(peer, *item, *found->second);
        // Without a valid verdict it may have been stored.
        if (!item->done) {
            item->fenced = true;
            defer(*item, {451, {4, 4, 1}, "the peer gave no verdict"}, peer.jid);
        }
    }
}

void CourierRound::settle_one(const Peer& peer, Item& item, const Verdict& verdict) {
    std::map<std::uint32_t, const mail::Reply*> by_number;
    for (const auto& recipient : verdict.recipients)
        by_number.emplace(recipient.n, &recipient.reply);
    const auto& recipients = item.message.envelope.recipients;
    const bool exact =
        by_number.size() == recipients.size() && verdict.recipients.size() == recipients.size() &&
        std::ranges::all_of(recipients, [&](const auto& r) { return by_number.contains(r.n); });
    if (!exact)
        return log::answer_ignored(peer.link.log_limiter(), peer.jid, verdict.key.id,
                                   "its recipients are not those of the transfer");
    for (const auto& recipient : recipients) {
        const mail::Reply& reply = *by_number.at(recipient.n);
        queue::Outcome outcome = queue::Failed{reply, peer.jid};
        if (reply.is_success()) {
            outcome = queue::Delivered{reply, peer.jid};
        } else if (reply.is_transient()) {
            outcome = queue::Deferred{reply, peer.jid, true, {}};
        } else if (is_for_smtp(reply.status)) {
            outcome = queue::Rerouted{with_peer(peer.jid, reply.to_text())};
        }
        item.outcomes.push_back({recipient.n, std::move(outcome)});
    }
    item.done = true;
}

}  // namespace component
