#include "component/outgoing/courier_round.hpp"

#include "base/crash_point.hpp"
#include "base/text.hpp"
#include "component/log.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace component {
namespace {

using Kind = Failure::Kind;

constexpr std::size_t kChunkOverhead = 500;  // bytes around a chunk's base64
// How long an abort counts at least: a peer's clock may be an hour ahead.
constexpr auto kAbortTime = std::chrono::hours(2);
constexpr auto kLookAgain = std::chrono::minutes(1);  // a bound on a wait that always ends earlier
// For a word of a peer that has not answered something: as long as a server needs to dial.
constexpr auto kIsThere = std::chrono::seconds(20);

// Under new ids it goes to some of its recipients at a time.
constexpr mail::EnhancedStatus kTooMany{4, 5, 3};

Failure of_our_own(mail::EnhancedStatus status, std::string text) {
    Failure failure;
    failure.reply = {451, status, base::printable(text, base::limits::kStatusText)};
    return failure;
}

bool has_exactly(const Verdict& verdict, const std::vector<mail::Recipient>& recipients) {
    std::set<std::uint32_t> numbers;
    for (const auto& recipient : verdict.recipients)
        numbers.insert(recipient.n);
    return numbers.size() == recipients.size() && verdict.recipients.size() == recipients.size() &&
           std::ranges::all_of(recipients, [&](const auto& r) { return numbers.contains(r.n); });
}

/// Protocol rule 8, at both ends.
bool keeps_tls(const Capability& theirs, const Link& link) {
    return theirs.requiretls && link.settings().keeps_tls();
}

void crash_before(Sending::Ask ask) {
    if (ask == Sending::Ask::status) base::crash_point("courier.before-status");
    if (ask == Sending::Ask::abort) base::crash_point("courier.before-abort");
}

void crash_behind(Sending::Ask ask) {
    if (ask == Sending::Ask::status) base::crash_point("courier.status-answered");
    if (ask == Sending::Ask::abort) base::crash_point("courier.abort-answered");
}

Sending::Goal goal_of(const queue::LeasedMessage& message, base::TimePoint now) {
    if (message.call_back) return Sending::Goal::call_back;
    const bool over = message.transfer && message.transfer->expires <= now;
    return over ? Sending::Goal::learn : Sending::Goal::deliver;
}

}  // namespace

CourierRound::Item::Item(queue::LeasedMessage leased, base::TimePoint now)
    : message(std::move(leased)),
      sending(goal_of(message, now), message.transfer && message.transfer->sent_before,
              message.content.size()),
      other_way(message.call_back.value_or(std::string())),
      for_now(message.call_back.has_value()) {}

CourierRound::CourierRound(base::asio::any_io_executor executor,
                           std::vector<queue::LeasedMessage> messages, const base::Clock& clock,
                           std::chrono::milliseconds answer_time, BlockCodec& codec,
                           UnverifiedSenders& senders, PutOffDomains& domains, Orders orders,
                           queue::Tell tell)
    : executor_(std::move(executor)),
      clock_(clock),
      answer_time_(answer_time),
      codec_(codec),
      senders_(senders),
      domains_(domains),
      orders_(orders),
      tell_(std::move(tell)) {
    for (auto& message : messages)
        items_.push_back(std::make_unique<Item>(std::move(message), now_));
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
    std::vector<queue::RecipientOutcome> outcomes;
    for (const auto& recipient : item.message.envelope.recipients)
        outcomes.push_back({recipient.n, outcome});
    tell(item, std::move(outcomes));
}

void CourierRound::tell(Item& item, std::vector<queue::RecipientOutcome> outcomes) {
    item.done = true;
    tell_({item.message.id, std::move(outcomes), item.sending.may_have_left()});
}

void CourierRound::defer(Item& item, const mail::Reply& reply, const std::string& remote,
                         std::optional<std::chrono::seconds> retry_after) {
    give(item, queue::Deferred{reply, remote, false, retry_after});
}

void CourierRound::go_anew(Item& item, const mail::Reply& reply, const std::string& remote) {
    queue::Deferred anew{reply, remote, true, kGoesAnew};
    anew.tried = false;
    give(item, anew);
}

void CourierRound::go_by_smtp(Item& item, const std::string& why, bool for_now) {
    item.other_way = why;
    item.for_now = for_now;
    item.sending.call_back(of_our_own({4, 3, 4}, why));
    if (item.sending.ended()) give(item, queue::Rerouted{why, for_now});
}

void CourierRound::defer_all(const mail::Reply& reply, bool tried) {
    for (auto& item : items_) {
        if (item->done) continue;
        queue::Deferred later{reply, "", false, {}};
        later.tried = tried;
        give(*item, later);
    }
}

base::Task<void> CourierRound::deliver_to(Link& link, std::string jid, Capability theirs,
                                          std::shared_ptr<Flow> flow) {
    not_there_ = false;
    Peer peer{link, std::move(jid), std::move(theirs), std::move(flow), 0, false};
    peer.bound = payload_bound(link.settings(), peer.theirs);
    Plan plan = make_plan(peer);
    for (auto& batch : plan.batches)
        co_await send_batch(peer, std::move(batch));
    for (Item* item : plan.alone)
        co_await send_alone(peer, *item);
    // What turned out to need pieces, or to be called back, while the batches went out.
    for (const auto& item : items_) {
        const bool is_of_peer = item->message.transfer && item->message.transfer->peer == peer.jid;
        if (is_of_peer && !item->done) co_await send_alone(peer, *item);
    }
}

bool CourierRound::admit(Item& item, const Peer& peer) {
    const auto goal = goal_of(item.message, now_);
    if (goal == Sending::Goal::learn && !item.sending.is_fenced())
        go_anew(item, {451, {4, 4, 7}, "the transfer has expired"}, peer.jid);
    if (goal != Sending::Goal::deliver) return false;
    const auto& envelope = item.message.envelope;
    if (item.message.transfer->expires > now_ + peer.theirs.retention &&
        !item.sending.is_fenced()) {
        // Its receiver would refuse it; a new id with another end is the queue's to make.
        go_anew(item, {451, {4, 4, 7}, "the transfer expires later than the peer remembers"},
                peer.jid);
    } else if (const auto unverified = given_up_unseen(item, peer.jid)) {
        go_by_smtp(item, *unverified, true);
    } else if (item.message.content.size() > peer.theirs.max_size) {
        go_by_smtp(item, "larger than " + peer.jid + " takes");
    } else if (envelope.recipients.size() > peer.most_recipients()) {
        divide(item, peer);
    } else if ((envelope.body == mail::Body::eight_bit_mime && !peer.theirs.eight_bit_mime) ||
               (envelope.smtputf8 && !peer.theirs.smtputf8) ||
               (envelope.requiretls && !keeps_tls(peer.theirs, peer.link))) {
        go_by_smtp(item, peer.jid + " lacks an extension that it needs");
    } else {
        return true;
    }
    return false;
}

void CourierRound::divide(Item& item, const Peer& peer) {
    item.too_many = true;
    item.sending.call_back(of_our_own(kTooMany, "more recipients than the peer takes at once"));
    if (item.sending.ended()) conclude(peer, item);
}

CourierRound::Plan CourierRound::make_plan(const Peer& peer) {
    Plan plan;
    std::size_t recipients = 0;
    std::size_t bytes = 0;
    const bool single = peer.link.settings().compress == Compress::each;
    const std::size_t stanza = std::min(peer.bound, peer.flow->stanza());
    for (auto& item : items_) {
        if (item->done || !item->message.transfer || item->message.transfer->peer != peer.jid)
            continue;
        const bool sends = admit(*item, peer);
        if (item->done) continue;
        const std::size_t size = item->message.content.size();
        // Compression seldom halves; what is larger need not be tried.
        const bool large = size > std::min({2 * stanza, peer.theirs.window, base::limits::kBlock});
        if (large) item->sending.in_pieces();
        if (!sends || large) {
            plan.alone.push_back(item.get());
            continue;
        }
        const std::size_t more = item->message.envelope.recipients.size();
        const bool full =
            plan.batches.empty() || single || plan.batches.back().size() >= peer.theirs.max_batch ||
            recipients + more > peer.most_recipients() || bytes + size > peer.theirs.window;
        if (full) {
            plan.batches.emplace_back();
            recipients = bytes = 0;
        }
        plan.batches.back().push_back(item.get());
        recipients += more;
        bytes += size;
    }
    return plan;
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
    std::erase_if(batch, [&](Item* item) { return is_put_off(peer, *item); });
    co_await load(batch);
    if (batch.empty()) co_return;
    std::vector<OutgoingMessage> messages;
    std::size_t content = 0;
    for (const Item* item : batch) {
        content += item->message.content.size();
        messages.push_back(item->outgoing());
    }
    auto payload = encode_transfers(messages, {peer.deflates()}, codec_);
    messages.clear();
    const bool fits = payload && payload->size() <= std::min(peer.bound, peer.flow->stanza());
    if (!fits && batch.size() > 1) {
        co_await send_split(peer, std::move(batch));
        co_return;
    }
    if (!payload) {
        go_by_smtp(*batch.front(), payload.error().text);
        co_return;
    }
    if (!fits && (content > 0 || payload->size() > peer.bound)) {
        batch.front()->sending.in_pieces();
        co_return;  // deliver_to() goes on with it
    }
    for (Item* item : batch)
        item->whole = item->sending.next(0).value_or(Sending::Request());
    const std::size_t bytes = payload->size();
    const auto began = std::chrono::steady_clock::now();
    auto permit = std::make_shared<Flow::Permit>(peer.flow);
    co_await permit->acquire(bytes, content, peer.theirs.window);
    if (!orders_.passed_by.empty()) co_return pass_by(peer, batch);
    // It is given back with the answer: what is sent again below needs one of its own.
    const IqReply reply = co_await ask(peer, std::move(*payload), "set", std::move(permit));
    const auto took = std::chrono::steady_clock::now() - began;
    log::batch_sent(peer.jid, batch.size(), bytes,
                    std::chrono::duration_cast<std::chrono::milliseconds>(took));
    if (const auto* verdicts = std::get_if<Verdicts>(&reply)) {
        take_batch_verdicts(peer, batch, *verdicts);
    } else {
        const Failure failure = co_await look_into(peer, *batch.front(), reply);
        take_batch_failure(peer, batch, failure, may_have_left(reply));
    }
    for (Item* item : batch) {
        if (item->done || !item->sending.goes_whole()) continue;
        Batch single(1, item);
        co_await send_batch(peer, std::move(single));
    }
}

base::Task<IqReply> CourierRound::ask(Peer& peer, std::string payload, const char* type,
                                      std::shared_ptr<Flow::Permit> permit) {
    const std::string to = peer.jid;
    const std::string kind = type;
    IqReply reply = co_await peer.link.request(to, kind, std::move(payload), answer_time_);
    const auto* error = std::get_if<StanzaError>(&reply);
    const bool silent =
        std::holds_alternative<NoAnswer>(reply) || (error != nullptr && error->ours.empty());
    silent ? permit->failed() : permit->answered();
    co_return reply;
}

base::Task<Failure> CourierRound::look_into(Peer& peer, const Item& item, const IqReply& reply) {
    const Failure failure = classify(reply);
    if (failure.kind == Kind::not_there) not_there_ = true;  // it may have retired
    if (peer.gone || !is_unexplained(reply)) co_return failure;
    // It need not be the peer that is silent: a server may stumble over this very request, and
    // whatever else there is for the peer must not wait for it.
    std::string question = encode_status(item.message.transfer->key);
    const std::string to = peer.jid;
    std::string type = "get";
    const auto limit = std::min<std::chrono::milliseconds>(kIsThere, answer_time_);
    crash_before(Sending::Ask::status);
    const IqReply word =
        co_await peer.link.request(to, std::move(type), std::move(question), limit);
    crash_behind(Sending::Ask::status);
    co_return is_word_of_peer(word) ? on_request_alone(failure) : failure;
}

void CourierRound::take_batch_verdicts(Peer& peer, const Batch& batch, const Verdicts& verdicts) {
    std::map<queue::TransferKey, const Verdict*> by_key;
    for (const auto& verdict : verdicts)
        by_key.emplace(verdict.key, &verdict);
    for (Item* item : batch) {
        const auto found = by_key.find(item->message.transfer->key);
        const Verdicts own = found == by_key.end() ? Verdicts() : Verdicts(1, *found->second);
        take_answer(peer, *item, item->whole, own);
        const Sending& sending = item->sending;
        // Alone it gets an answer of its own, which may say why there is none.
        if (batch.size() > 1 && sending.end() == Sending::End::unclear &&
            sending.failure().split_batch)
            item->sending.try_again();
        else if (sending.ended())
            conclude(peer, *item);
    }
}

void CourierRound::take_batch_failure(Peer& peer, const Batch& batch, const Failure& failure,
                                      bool left) {
    const auto& domain = batch.front()->message.transfer->key.domain;
    const bool on_domain = failure.is_on_domain();
    if (failure.kind != Kind::unverified)
        log::refused_by_peer(peer.link.log_limiter(), peer.jid, domain.ascii(), batch.size(),
                             failure.reply.status.to_text(), failure.reply.text);
    // One poisonous member must not hold the others: each is sent again by itself. Which of several
    // domains it is that is put off, nobody has said.
    const bool alike = std::ranges::all_of(
        batch, [&](const Item* item) { return item->message.transfer->key.domain == domain; });
    const bool splits = failure.split_batch && batch.size() > 1 && !(on_domain && alike);
    for (Item* item : batch) {
        const Failure judged = on_domain && alike ? put_off(peer, *item, failure) : failure;
        item->sending.on_failure(item->whole, judged, left);
        const bool again = tries_again(*item, failure);
        if (splits || again) {
            item->sending.try_again();
        } else if (item->sending.ended()) {
            conclude(peer, *item);
        }
    }
    take_failure(peer, failure);
}

bool CourierRound::tries_again(Item& item, const Failure& failure) const {
    return failure.once_more && !item.unreadable &&
           goal_of(item.message, now_) == Sending::Goal::deliver && item.other_way.empty() &&
           !std::exchange(item.tried_again, true);
}

void CourierRound::take_failure(Peer& peer, const Failure& failure) {
    // After a silence nothing new is sent before the peer was seen again: it would be bound to it.
    if (failure.is_unheard()) not_there_ = true;
    if (!failure.split_batch && failure.kind != Kind::not_open && failure.kind != Kind::bad_offset)
        peer.gone = true;
}

base::TimePoint CourierRound::abort_expiry(base::TimePoint expires,
                                           const Capability& theirs) const {
    // One that was made while our clock was ahead lies further away than any peer remembers, and
    // would be malformed; such a transfer the peer takes at no time before.
    const base::TimePoint furthest = now_ + theirs.retention - theirs.retention / 8;
    return std::max(std::min(expires, furthest), now_ + kAbortTime);
}

base::Task<void> CourierRound::send_alone(Peer& peer, Item& item) {
    if (is_put_off(peer, item) && item.done) co_return;
    co_await exchange(peer, item);
    while (item.unheard && item.sending.end() != Sending::End::decided) {
        const IqReply unheard = *std::exchange(item.unheard, std::nullopt);
        const Failure failure = co_await look_into(peer, item, unheard);
        if (tries_again(item, failure)) {
            item.sending.try_again();
            co_await exchange(peer, item);
        } else {
            item.sending.explain(failure);
            take_failure(peer, failure);
        }
    }
    if (!item.done) conclude(peer, item);
}

base::Task<void> CourierRound::exchange(Peer& peer, Item& item) {
    Sending& sending = item.sending;
    base::TaskGroup asking(executor_);
    base::Signal answered(executor_);
    const auto began = std::chrono::steady_clock::now();
    std::uint64_t sent = 0;  // bytes of content in this attempt
    while (!sending.ended()) {
        if (peer.gone) sending.give_up(of_our_own({4, 4, 1}, "the peer did not answer"));
        // As if the peer were out: the next start goes on where this one ends.
        if (orders_.stopping) sending.give_up(of_our_own({4, 4, 1}, "we are stopping"));
        if (sending.is_certain() && is_passed_by(item)) pass_by(item);
        if (clock_.steady() - began_ > item.message.transfer->expires - now_ &&
            goal_of(item.message, now_) == Sending::Goal::deliver)
            sending.give_up(of_our_own({4, 4, 7}, "the transfer has expired"));
        const std::size_t room =
            std::min(peer.bound, peer.flow->piece()) - kChunkOverhead;  // both are far larger
        const auto request = sending.next(std::min(room / 4 * 3, base::limits::kBlock));
        if (!request) {
            if (!sending.ended()) co_await answered.wait(kLookAgain);
            continue;
        }
        const Sending::Request asked = *request;
        auto payload = co_await encode(peer, item, asked);
        if (item.unreadable) {
            const Failure ours = of_our_own({4, 3, 0}, item.unreadable->text);
            sending.give_up(ours);
            sending.on_failure(asked, ours, false);
            continue;
        }
        if (!payload || payload->size() > peer.bound) {
            // A lease counts what its envelope needs. This one was made when the peer took more, or
            // is for a single recipient.
            const bool too_many = payload && item.message.envelope.recipients.size() > 1;
            const Failure too_large = of_our_own(
                too_many ? kTooMany : mail::EnhancedStatus{4, 3, 4}, "too large for one stanza");
            item.too_many = too_many;
            if (!too_many)
                item.other_way = "its envelope is too large for one stanza to " + peer.jid;
            sending.call_back(too_large);
            sending.on_failure(asked, too_large, false);
            continue;
        }
        const auto permit = std::make_shared<Flow::Permit>(peer.flow);
        const std::size_t bytes = payload->size();
        co_await permit->acquire(bytes, asked.size, peer.theirs.window);
        const bool sends = asked.ask != Sending::Ask::status && asked.ask != Sending::Ask::abort;
        if (sends && is_passed_by(item)) {
            pass_by(item);
            sending.on_failure(asked, of_our_own({4, 4, 1}, orders_.passed_by), false);
            continue;
        }
        sent += asked.size;
        const auto text = std::make_shared<std::string>(std::move(*payload));
        asking.spawn("transfer",
                     [this, &peer, &item, &answered, asked, text, permit]() -> base::Task<void> {
                         const char* type = asked.ask == Sending::Ask::status ? "get" : "set";
                         crash_before(asked.ask);
                         const IqReply reply = co_await ask(peer, std::move(*text), type, permit);
                         crash_behind(asked.ask);
                         take_answer(peer, item, asked, reply);
                         answered.notify();
                     });
    }
    co_await asking.join();
    const auto took = std::chrono::steady_clock::now() - began;
    if (sent > 0)
        log::pieces_sent(peer.jid, item.message.transfer->key.id, item.message.content.size(), sent,
                         std::chrono::duration_cast<std::chrono::milliseconds>(took));
}

void CourierRound::take_answer(Peer& peer, Item& item, const Sending::Request& request,
                               const IqReply& reply) {
    const auto& key = item.message.transfer->key;
    const auto ignored = [&](const char* why) {
        log::answer_ignored(peer.link.log_limiter(), peer.jid, key.id, why);
        Failure none = of_our_own({4, 5, 0}, "the peer gave no verdict");
        none.split_batch = true;
        item.sending.on_failure(request, none, true);
    };
    if (const auto* ack = std::get_if<Ack>(&reply)) {
        if (ack->key != key) return ignored("it is on another transfer");
        return item.sending.on_ack(request, ack->offset);
    }
    if (const auto* verdicts = std::get_if<Verdicts>(&reply)) {
        const auto found =
            std::ranges::find_if(*verdicts, [&](const Verdict& v) { return v.key == key; });
        if (found == verdicts->end()) return ignored("it has no verdict on the transfer");
        if (found->state == Verdict::State::done &&
            !has_exactly(*found, item.message.envelope.recipients))
            return ignored("its recipients are not those of the transfer");
        return item.sending.on_verdict(request, *found);
    }
    Failure failure = classify(reply);
    const bool looks = request.ask == Sending::Ask::status || request.ask == Sending::Ask::abort;
    const bool is_logged = failure.kind == Kind::unverified && !looks;
    if (failure.is_on_domain() && !looks) failure = put_off(peer, item, std::move(failure));
    if (!is_logged && failure.kind != Kind::bad_offset && failure.kind != Kind::not_open)
        log::refused_by_peer(peer.link.log_limiter(), peer.jid, key.domain.ascii(), 1,
                             failure.reply.status.to_text(), failure.reply.text);
    item.sending.on_failure(request, failure, may_have_left(reply));
    if (!failure.is_unheard()) return take_failure(peer, failure);
    // What that means is looked into once nothing more is under way.
    if (!item.unheard) item.unheard = reply;
}

}  // namespace component
