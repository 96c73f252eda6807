#include "component/incoming/open_transfers.hpp"

#include "base/crash_point.hpp"
#include "component/incoming/transfer_answer.hpp"
#include "component/log.hpp"
#include "component/protocol/transfer_codec.hpp"

#include <algorithm>

namespace component {
namespace {

using namespace std::chrono_literals;
using base::Errc;
using Known = queue::KnownTransfer::State;

constexpr std::size_t kWindow = 4u << 20;  // bytes of content that a sender may have unacknowledged
constexpr std::size_t kStep = 256u << 10;  // bytes that are looked at before others get their turn
// What is kept of a content to look at its header; the last byte shows that it may go on.
constexpr std::size_t kBeginning = base::limits::kHeader + 1;
constexpr std::size_t kRememberedOfPeer = 16;     // envelopes of one organisation's transfers ...
constexpr std::size_t kRecipientsOfPeer = 4'000;  // ... and recipients in those, ...
constexpr std::size_t kRecipients = 20'000;       // ... and in those of all
constexpr auto kIdle = 15min;                     // then a sender has to say <open/> again

const queue::TransferKey& key_of(const TransferPayload& request) {
    if (const auto* open = std::get_if<IncomingOpen>(&request)) return open->transfer.key;
    if (const auto* chunk = std::get_if<IncomingChunk>(&request)) return chunk->key;
    if (const auto* commit = std::get_if<IncomingCommit>(&request)) return commit->key;
    if (const auto* status = std::get_if<IncomingStatus>(&request)) return status->key;
    return std::get<IncomingAbort>(request).key;
}

/// The error for a step that the book refused.
StanzaError transfer_error(const base::Error& error) {
    switch (error.code) {
        case Errc::conflict:
            return id_reuse();
        case Errc::not_found:
            return unknown_transfer();
        case Errc::limit:
            return malformed(error.text);
        default:
            return busy(error.code == Errc::busy ? error.text : "it could not be stored");
    }
}

}  // namespace

OpenTransfers::OpenTransfers(base::asio::any_io_executor executor, Link& link, Discovery& discovery,
                             queue::Intake& intake, queue::TransferBook& book, TransferJudge& judge,
                             base::Clock& clock)
    : executor_(executor),
      link_(link),
      discovery_(discovery),
      intake_(intake),
      book_(book),
      judge_(judge),
      clock_(clock),
      tasks_(executor) {}

bool OpenTransfers::Entry::is_committing(const IncomingStatus& asked,
                                         const std::string& asks) const {
    return committing && peer == asks && transfer &&
           (!asked.digest || *asked.digest == digest_of(*transfer));
}

base::Task<void> OpenTransfers::stop() {
    co_await tasks_.join();
}

void OpenTransfers::sweep() {
    const auto now = clock_.steady();
    std::erase_if(entries_, [&](const auto& item) {
        return !item.second.at_work && now - item.second.last_used > kIdle;
    });
}

void OpenTransfers::take(std::shared_ptr<TransferAnswer> answer, TransferPayload request) {
    const queue::TransferKey key = key_of(request);
    const auto found = entries_.find(key);
    // Chunks of what is not open here cost neither memory nor disk.
    const bool is_chunk = std::holds_alternative<IncomingChunk>(request);
    if (found == entries_.end() && is_chunk) return answer->fail(unknown_transfer());
    if (const auto* status = std::get_if<IncomingStatus>(&request);
        status && found != entries_.end() && found->second.is_committing(*status, answer->peer()))
        return give(answer, {key, Verdict::State::committing, {}, {}, 0, 0});
    Entry& entry = entries_[key];
    entry.waiting.emplace_back(std::move(answer), std::move(request));
    if (std::exchange(entry.at_work, true)) return;
    tasks_.spawn("open transfer", [this, key] { return work(key); });
}

base::Task<void> OpenTransfers::work(queue::TransferKey key) {
    Entry& entry = entries_[key];  // stays where it is while it is at work
    while (!entry.waiting.empty()) {
        auto [answer, request] = std::move(entry.waiting.front());
        entry.waiting.pop_front();
        entry.last_used = clock_.steady();
        if (auto* open = std::get_if<IncomingOpen>(&request))
            co_await handle(entry, std::move(answer), std::move(*open));
        else if (auto* chunk = std::get_if<IncomingChunk>(&request))
            co_await handle(entry, std::move(answer), std::move(*chunk));
        else if (auto* commit = std::get_if<IncomingCommit>(&request))
            co_await handle(entry, std::move(answer), std::move(*commit));
        else if (auto* status = std::get_if<IncomingStatus>(&request))
            co_await handle(entry, std::move(answer), std::move(*status));
        else if (auto* abort = std::get_if<IncomingAbort>(&request))
            co_await handle(entry, std::move(answer), std::move(*abort));
    }
    entry.at_work = false;
    entry.last_used = clock_.steady();
    if (!entry.transfer) entries_.erase(key);
}

void OpenTransfers::give(const Answer& answer, const Verdict& verdict) {
    const std::size_t theirs = discovery_.capability_of(answer->peer()).max_stanza;
    answer->give(Verdicts(1, verdict), std::min(link_.settings().max_stanza, theirs));
}

/// What is known of the key. If nothing can be said now, the request is answered, and nothing
/// returned.
base::Task<std::optional<queue::KnownTransfer>> OpenTransfers::find(const Answer& answer,
                                                                    queue::TransferKey key,
                                                                    bool with_class) {
    std::vector<queue::TransferKey> keys(1, key);
    auto found = co_await book_.find(std::move(keys), with_class);
    if (found && found->size() == 1) co_return std::move(found->front());
    answer->fail(busy("the storage does not answer"));
    co_return std::nullopt;
}

void OpenTransfers::make_room(const std::string& peer, std::size_t recipients) {
    struct Load {
        std::size_t transfers = 0;
        std::size_t recipients = 0;
    };
    const auto whose = mail::Organisation::of(peer);
    for (;;) {
        std::map<mail::Organisation, Load> loads;
        loads[whose].recipients = recipients;
        std::size_t all = recipients;
        for (const auto& [key, entry] : entries_) {
            if (!entry.transfer) continue;
            const std::size_t count = entry.transfer->envelope.recipients.size();
            Load& load = loads[*entry.whose];
            ++load.transfers;
            load.recipients += count;
            all += count;
        }
        const Load& of_peer = loads.at(whose);
        const bool too_much =
            of_peer.transfers >= kRememberedOfPeer || of_peer.recipients > kRecipientsOfPeer;
        if (!too_much && all <= kRecipients) return;
        // Its own, or else of who has most: nobody's few give way to another one's many.
        const auto most = std::ranges::max_element(
            loads, {}, [](const auto& item) { return item.second.recipients; });
        if (!forget_oldest_of(too_much ? whose : most->first)) return;
    }
}

bool OpenTransfers::forget_oldest_of(const mail::Organisation& whose) {
    auto oldest = entries_.end();
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
        const Entry& entry = at->second;
        if (!entry.transfer || entry.at_work || entry.whose != whose) continue;
        if (oldest == entries_.end() || entry.last_used < oldest->second.last_used) oldest = at;
    }
    if (oldest == entries_.end()) return false;
    entries_.erase(oldest);
    return true;
}

base::Task<void> OpenTransfers::handle(Entry& entry, Answer answer, IncomingOpen request) {
    const std::string peer = answer->peer();
    const queue::TransferKey key = request.transfer.key;
    const auto forbidden = co_await judge_.authorise(peer, key.domain);
    if (forbidden) co_return answer->fail(*forbidden);
    const auto known = co_await find(answer, key, true);
    if (!known) co_return;
    if (known->is_other(peer, digest_of(request.transfer))) {
        log::transfer_refused(link_.log_limiter(), peer, key.domain.ascii(), key.id, "id-reuse",
                              "id-reuse");
        co_return answer->fail(id_reuse());
    }
    if (known->state == Known::done || known->state == Known::aborted) {
        log::transfer_repeated(link_.log_limiter(), peer, key.domain.ascii(), key.id);
        entry.close();
        co_return give(answer, verdict_of(key, *known, 0));
    }
    ClassGate::Answer admitted = judge_.ask_gate(peer, request.transfer, *known);
    if (admitted.later)
        co_return answer->fail(beyond_rate(admitted.later->text, admitted.later->retry_after));
    const bool resumed = known->state == Known::open;
    co_await open(entry, std::move(answer), std::move(request.transfer), resumed,
                  std::move(admitted));
}

base::Task<void> OpenTransfers::open(Entry& entry, Answer answer, IncomingTransfer transfer,
                                     bool resumed, ClassGate::Answer admitted) {
    const std::string peer = answer->peer();
    const queue::TransferKey key = transfer.key;
    Replies replies;
    if (admitted.refused)
        replies = TransferJudge::refuse_by_class(transfer.envelope, admitted.refused->reply);
    replies = co_await judge_.judge(peer, transfer, std::move(replies), std::nullopt);
    if (replies.unverified) co_return answer->fail(*replies.unverified);
    // What has come already is not thrown away because our own mail server is out.
    if (resumed && replies.may_change())
        co_return answer->fail(busy("the recipients cannot be taken now"));
    if (!replies.any_accepted()) {
        // No byte of it needs to come: this is its verdict.
        entry.close();
        queue::Arrival refused = judge_.arrival(peer, transfer, replies);
        const bool stored =
            co_await store(entry, std::move(answer), transfer, replies, std::move(refused));
        if (stored) admitted.pass.taken();
        co_return;
    }
    queue::Opening opening{key,
                           peer,
                           digest_of(transfer),
                           transfer.size,
                           transfer.expires,
                           discovery_.is_correspondent(peer)};
    const auto opened = co_await book_.open(std::move(opening));
    if (!opened) {
        log::transfer_refused(link_.log_limiter(), peer, key.domain.ascii(), key.id, "open",
                              opened.error().text);
        co_return answer->fail(transfer_error(opened.error()));
    }
    base::crash_point("pieces.opened");
    admitted.pass.taken();
    Verdict verdict = verdict_of(key, **opened, kWindow);
    if (verdict.state == Verdict::State::open) {
        for (const auto& recipient : transfer.envelope.recipients)
            verdict.recipients.push_back({recipient.n, replies.by_number.at(recipient.n)});
        // Once, and then where it goes on: to open it again and again tells nothing.
        if (!entry.transfer || verdict.offset > entry.opened_at)
            log::transfer_opened(peer, key.domain.ascii(), key.id, transfer.size, verdict.offset);
        make_room(peer, transfer.envelope.recipients.size());
        entry.peer = peer;
        entry.whose = mail::Organisation::of(peer);
        entry.offset = entry.opened_at = verdict.offset;
        entry.transfer = std::move(transfer);
        entry.replies = std::move(replies);
    }
    give(answer, verdict);
}

base::Task<void> OpenTransfers::handle(Entry& entry, Answer answer, IncomingChunk request) {
    if (!entry.transfer || entry.peer != answer->peer()) co_return answer->fail(unknown_transfer());
    const std::uint64_t size = entry.transfer->size;
    if (request.size > kWindow)
        co_return answer->fail(malformed("the chunk is larger than the window"));
    if (request.size > size || request.offset > size - request.size)
        co_return answer->fail(malformed("the chunk goes beyond the announced size"));
    if (request.offset > entry.offset) co_return answer->fail(bad_offset(entry.offset));
    if (request.offset < entry.offset)
        co_return answer->give(encode_ack({request.key, entry.offset}));
    base::crash_point("pieces.before-chunk");
    auto bytes = codec_.unpack(request.block, request.deflated, request.size);
    request.block = {};
    if (!bytes) co_return answer->fail(malformed(bytes.error().text));
    queue::Piece piece{request.key, entry.peer, request.offset, std::move(*bytes)};
    const auto added = co_await book_.add(std::move(piece));
    if (!added) {
        if (added.error().code == Errc::not_found) entry.close();
        co_return answer->fail(transfer_error(added.error()));
    }
    entry.offset = (*added)->offset;
    if (entry.offset < request.offset + request.size)
        co_return answer->fail(bad_offset(entry.offset));
    base::crash_point("pieces.before-ack");
    answer->give(encode_ack({request.key, entry.offset}));
}

base::Task<void> OpenTransfers::handle(Entry& entry, Answer answer, IncomingCommit request) {
    if (!entry.transfer || entry.peer != answer->peer()) {
        const auto known = co_await find(answer, request.key);
        if (!known) co_return;
        if (known->state == Known::aborted && known->peer == answer->peer())
            co_return give(answer, verdict_of(request.key, *known, 0));
        // The verdict may be there, and only its answer have been lost. But a key alone does not
        // say whose verdict is meant: the sender opens it again, which does.
        co_return answer->fail(unknown_transfer());
    }
    if (entry.offset != entry.transfer->size) co_return answer->fail(bad_offset(entry.offset));
    entry.committing = true;
    base::crash_point("pieces.before-commit");
    co_await commit(entry, std::move(answer));
    entry.committing = false;
}

base::Task<void> OpenTransfers::commit(Entry& entry, Answer answer) {
    const std::string peer = entry.peer;
    const queue::TransferKey key = entry.transfer->key;
    // Much may have happened since it was opened.
    const auto forbidden = co_await judge_.authorise(peer, key.domain);
    if (forbidden) co_return answer->fail(*forbidden);
    const auto known = co_await find(answer, key, true);
    if (!known) co_return;
    const auto complete = co_await book_.content(key, peer);
    if (!complete && complete.error().code != Errc::damaged)
        co_return answer->fail(transfer_error(complete.error()));
    base::Result<Looked> looked = base::fail(Errc::damaged, "the content is gone");
    if (complete) looked = co_await look_through(complete->content);
    const IncomingTransfer transfer = *entry.transfer;
    Replies replies = entry.replies;
    if (known->state == Known::open) refuse_by_class(peer, transfer, *known, replies);
    auto refusal = check_expiry(transfer, clock_.now());
    // Asked again it would be no better: with this verdict its sender sends it anew.
    if (!refusal && !looked) refusal = mail::Reply{451, {4, 3, 0}, "what was sent can't be read"};
    if (!refusal) refusal = check_content(transfer, looked->check);
    if (!refusal) refusal = judge_.refuse_loop(looked->beginning);
    if (refusal) {
        log::transfer_refused(link_.log_limiter(), peer, key.domain.ascii(), key.id,
                              refusal->status.to_text(), refusal->to_text());
        replies.refuse_all(transfer.envelope, *refusal);
    }
    queue::Arrival arrival = judge_.arrival(peer, transfer, replies);
    if (looked) arrival.header = std::move(looked->check.header);
    if (complete) {
        arrival.content = complete->content;
        arrival.file = complete->file;
    }
    arrival.transfer->in_pieces = true;
    const bool stored =
        co_await store(entry, std::move(answer), transfer, replies, std::move(arrival));
    static_cast<void>(stored);  // it was counted when it was opened
}

void OpenTransfers::refuse_by_class(const std::string& peer, const IncomingTransfer& transfer,
                                    const queue::KnownTransfer& known, Replies& replies) {
    const ClassGate::Answer admitted = judge_.ask_gate(peer, transfer, known);
    if (!admitted.refused) return;
    const Replies refused =
        TransferJudge::refuse_by_class(transfer.envelope, admitted.refused->reply);
    for (const auto& [number, reply] : refused.by_number)
        replies.by_number.insert_or_assign(number, reply);
}

/// Hash and lines of the content, in steps.
base::Task<base::Result<OpenTransfers::Looked>> OpenTransfers::look_through(
    queue::Content content) {
    mail::Sha256Stream hash;
    mail::LineCheck lines;
    std::string beginning;
    for (std::size_t at = 0; at < content.size(); at += kStep) {
        const auto step = co_await content.read(at, kStep);
        if (!step) co_return step.error();
        hash.add(step->bytes());
        lines.add(step->bytes());
        beginning += step->bytes().substr(0, kBeginning - beginning.size());
        co_await base::asio::post(executor_, base::asio::use_awaitable);
    }
    auto header = mail::summarize_header(beginning);
    co_return Looked{{hash.finish(), lines.finish(), std::move(header)}, std::move(beginning)};
}

base::Task<bool> OpenTransfers::store(Entry& entry, Answer answer, const IncomingTransfer& transfer,
                                      const Replies& replies, queue::Arrival arrival) {
    const std::string peer = answer->peer();
    const auto receipt = co_await intake_.accept(std::move(arrival));
    if (!receipt) {
        log::transfer_refused(link_.log_limiter(), peer, transfer.key.domain.ascii(),
                              transfer.key.id, "store", receipt.error().text);
        answer->fail(transfer_error(receipt.error()));
        co_return false;
    }
    base::crash_point("pieces.committed");
    if (replies.any_accepted()) {
        const auto domains = domains_of_recipients(transfer.envelope, link_.settings());
        discovery_.received_from(transfer.key.domain, domains);
    }
    give(answer, stored_verdict(link_.log_limiter(), peer, transfer, replies, *receipt));
    entry.close();
    co_return true;
}

base::Task<void> OpenTransfers::handle(Entry&, Answer answer, IncomingStatus request) {
    const auto known = co_await find(answer, request.key);
    if (!known) co_return;
    const bool is_theirs = known->peer == answer->peer();
    if (is_theirs && known->is_other(known->peer, request.digest))
        co_return answer->fail(id_reuse());
    const queue::KnownTransfer shown = is_theirs ? *known : queue::KnownTransfer();
    base::crash_point("pieces.before-status");
    give(answer, verdict_of(request.key, shown, kWindow));
}

base::Task<void> OpenTransfers::handle(Entry& entry, Answer answer, IncomingAbort request) {
    const auto now = clock_.now();
    if (request.expires <= now || request.expires > now + base::limits::kRetention)
        co_return answer->fail(
            malformed("expires is over, or too far in the future, by our clock, "
                      "which shows " +
                      base::to_datetime(now)));
    const std::string peer = answer->peer();
    base::crash_point("pieces.before-abort");
    queue::Recall recall{request.key, peer, request.expires, request.digest};
    const auto called = co_await book_.call_back(std::move(recall));
    if (!called) co_return answer->fail(transfer_error(called.error()));
    base::crash_point("pieces.aborted");
    if ((*called)->state == Known::aborted)
        log::transfer_called_back(link_.log_limiter(), peer, request.key.domain.ascii(),
                                  request.key.id);
    entry.close();
    give(answer, verdict_of(request.key, **called, 0));
}

}  // namespace component
