#include "component/transfer_receiver.hpp"

#include "component/jid.hpp"
#include "component/log.hpp"
#include "component/transfer_answer.hpp"
#include "component/transfer_codec.hpp"
#include "component/transfer_policy.hpp"

#include <algorithm>
#include <set>

namespace component {
namespace {

using namespace std::chrono_literals;
using base::Errc;

constexpr std::size_t kAtOnce = 8;    // transfers of a request whose recipients are checked at once
constexpr auto kAuthorityTime = 60s;  // for all domains of a request; its sender waits 120 s
constexpr std::size_t kUnpacked = 128u << 20;  // bytes of blocks that are unpacked at the same time
constexpr std::size_t kRequests = 200;         // under way, of all peers ...
constexpr std::size_t kVerifying = 100;        // ... of them with a sender that is being looked up
constexpr std::size_t kShortText = 60;  // bytes of a verdict's texts where the full ones don't fit

}  // namespace

struct TransferReceiver::Member {
    IncomingTransfer transfer;
    mail::Sha256 digest{};
    std::string content;
    std::map<std::uint32_t, mail::Reply> replies;  ///< by recipient, as far as decided
    std::optional<Verdict> verdict;                ///< what is on the disk, and may be answered
    bool id_reused = false;
    bool unverified = false;   ///< the sender's own domain could not be checked now
    bool stored_late = false;  ///< could not be stored

    void refuse_all(const mail::Reply& reply) {
        for (const auto& recipient : transfer.envelope.recipients)
            replies.emplace(recipient.n, reply);
    }
    bool is_open() const { return !verdict && !id_reused; }
};

/// Counts the bytes of a block for as long as they are in memory: in all, and of its peer.
class TransferReceiver::Unpacked {
  public:
    Unpacked(std::size_t& total, std::size_t& of_peer, std::size_t size)
        : total_(total), of_peer_(of_peer), size_(size) {
        total_ += size_;
        of_peer_ += size_;
    }
    ~Unpacked() {
        total_ -= size_;
        of_peer_ -= size_;
    }
    Unpacked(const Unpacked&) = delete;
    Unpacked& operator=(const Unpacked&) = delete;

  private:
    std::size_t& total_;
    std::size_t& of_peer_;
    std::size_t size_;
};

struct TransferReceiver::Request {
    std::shared_ptr<TransferAnswer> answer;
    std::vector<Member> members;
    std::string block;
    bool deflated = false;
    std::size_t block_size = 0;
};

TransferReceiver::TransferReceiver(base::asio::any_io_executor executor, Link& link,
                                   Discovery& discovery, queue::Intake& intake,
                                   queue::RecipientCheck* check, const queue::Router& router,
                                   base::Clock& clock)
    : executor_(executor),
      link_(link),
      discovery_(discovery),
      intake_(intake),
      check_(check),
      router_(router),
      clock_(clock),
      tasks_(executor) {
    link_.set_transfer_handler(this);
}

TransferReceiver::~TransferReceiver() {
    link_.set_transfer_handler(nullptr);
}

base::Task<void> TransferReceiver::stop() {
    stopping_ = true;
    co_await tasks_.join();
}

void TransferReceiver::on_transfers(IqHead head, TransferPayload payload) {
    const auto from = Jid::parse(head.from);
    std::string peer = from ? from->bare() : head.from;
    const auto under_way = receiving_.find(peer);
    const bool full = tasks_.running() >= kRequests ||
                      (under_way != receiving_.end() &&
                       under_way->second.requests >= base::limits::kReceivingBatches);
    ++receiving_[peer].requests;
    const auto released = [this, peer] {
        const auto share = receiving_.find(peer);
        if (--share->second.requests == 0) receiving_.erase(share);
    };
    const auto answer = std::make_shared<TransferAnswer>(link_, std::move(head), peer, released);
    if (!from || !from->is_domain())
        return answer->fail(not_authorised("mail comes from components only"));
    if (const auto* bad = std::get_if<Malformed>(&payload))
        return answer->fail(malformed(bad->why));
    auto* batch = std::get_if<IncomingBatch>(&payload);
    if (batch == nullptr) return answer->fail(malformed("verdicts are no request"));
    if (full || stopping_)
        return answer->fail(busy(stopping_ ? "we are stopping" : "too many requests at once"));
    const auto kept = std::make_shared<IncomingBatch>(std::move(*batch));
    tasks_.spawn("transfer receiver",
                 [this, answer, kept] { return handle(answer, std::move(*kept)); });
}

base::Task<void> TransferReceiver::handle(std::shared_ptr<TransferAnswer> answer_once,
                                          IncomingBatch batch) {
    Request request{
        std::move(answer_once), {}, std::move(batch.block), batch.deflated, batch.block_size};
    for (auto& transfer : batch.transfers) {
        Member member{std::move(transfer), {}, {}, {}, {}, false, false, false};
        member.digest = digest_of(member.transfer);
        request.members.push_back(std::move(member));
    }
    const bool authorised = co_await authorise(request);
    if (!authorised) co_return;
    const bool found = co_await find_earlier(request);
    if (!found) co_return;
    const bool all_known =
        std::ranges::none_of(request.members, [](const Member& m) { return m.is_open(); });
    if (all_known) co_return answer(request);
    // It stays while the answer, which is in the request, does.
    Share& share = receiving_.at(request.answer->peer());
    if (unpacked_ + request.block_size > kUnpacked ||
        share.unpacked + request.block_size > base::limits::kPeerUnpacked) {
        request.answer->fail(busy("too much is being unpacked at once"));
        co_return;
    }
    const Unpacked counted(unpacked_, share.unpacked, request.block_size);
    if (!read_contents(request)) co_return;
    const std::function<base::Task<void>(std::size_t)> work =
        [&](std::size_t i) -> base::Task<void> {
        Member& member = request.members[i];
        if (member.is_open()) co_await judge(request, member);
    };
    co_await base::for_each(request.members.size(), kAtOnce, work);
    if (std::ranges::any_of(request.members, [](const Member& m) { return m.unverified; }))
        co_return request.answer->fail(busy("the sender's domain cannot be verified now"));
    co_await store(request);
    answer(request);
}

base::Task<bool> TransferReceiver::authorise(Request& request) {
    std::set<mail::Domain> unknown;
    for (const auto& member : request.members) {
        const auto& domain = member.transfer.key.domain;
        if (!discovery_.is_authorised(request.answer->peer(), domain)) unknown.insert(domain);
    }
    if (unknown.empty()) co_return true;
    if (verifying_ >= kVerifying) {
        request.answer->fail(busy("too many senders are being verified"));
        co_return false;
    }
    ++verifying_;
    std::vector<mail::Domain> domains(unknown.begin(), unknown.end());
    const bool authorised = co_await look_up(request, std::move(domains));
    --verifying_;
    co_return authorised;
}

base::Task<bool> TransferReceiver::look_up(Request& request, std::vector<mail::Domain> domains) {
    const auto began = std::chrono::steady_clock::now();
    for (const auto& domain : domains) {
        if (std::chrono::steady_clock::now() - began > kAuthorityTime) {
            request.answer->fail(busy("too many domains to be verified in one request"));
            co_return false;
        }
        auto authorisation = co_await discovery_.authorise(link_, request.answer->peer(), domain);
        if (authorisation.answer == Authorisation::Answer::yes) continue;
        const bool no = authorisation.answer == Authorisation::Answer::no;
        request.answer->fail(no ? not_authorised(authorisation.why) : busy(authorisation.why));
        co_return false;
    }
    co_return true;
}

base::Task<bool> TransferReceiver::find_earlier(Request& request) {
    std::vector<queue::TransferKey> keys;
    for (const auto& member : request.members)
        keys.push_back(member.transfer.key);
    auto stored = co_await intake_.find_verdicts(std::move(keys));
    if (!stored) {
        request.answer->fail(busy("the storage does not answer"));
        co_return false;
    }
    for (std::size_t i = 0; i < request.members.size() && i < stored->size(); ++i) {
        Member& member = request.members[i];
        const auto& earlier = (*stored)[i];
        if (!earlier) continue;
        const auto& key = member.transfer.key;
        if (earlier->digest != member.digest) {
            member.id_reused = true;
            log::transfer_refused(link_.log_limiter(), request.answer->peer(), key.domain.ascii(),
                                  key.id, "id-reuse", "id-reuse");
            continue;
        }
        log::transfer_repeated(link_.log_limiter(), request.answer->peer(), key.domain.ascii(),
                               key.id);
        member.verdict =
            Verdict{key, earlier->queue_id ? earlier->queue_id->to_text() : "", earlier->verdicts};
    }
    co_return true;
}

bool TransferReceiver::read_contents(Request& request) {
    auto bytes = base64_decode(request.block);
    request.block = {};
    if (bytes && request.deflated) bytes = codec_.inflate(*bytes, request.block_size);
    if (!bytes || bytes->size() != request.block_size) {
        request.answer->fail(
            malformed(bytes ? "the block does not have its stated size" : bytes.error().text));
        return false;
    }
    for (auto& member : request.members)
        member.content = bytes->substr(member.transfer.offset, member.transfer.size);
    return true;
}

base::Task<void> TransferReceiver::judge(Request& request, Member& member) {
    const auto& transfer = member.transfer;
    const auto& settings = link_.settings();
    auto refusal = check_expiry(transfer, clock_.now());
    if (!refusal) refusal = check_envelope(transfer.envelope);
    if (!refusal) refusal = check_content(transfer, member.content, settings);
    if (!refusal && is_foreign_sender(transfer)) {
        const mail::Domain domain = transfer.envelope.from->domain();
        auto authorisation = co_await discovery_.authorise(link_, request.answer->peer(), domain);
        if (authorisation.answer == Authorisation::Answer::no)
            refusal = mail::Reply{550, {5, 7, 1}, authorisation.why};
        member.unverified = authorisation.answer == Authorisation::Answer::unknown;
    }
    if (refusal) {
        log::transfer_refused(link_.log_limiter(), request.answer->peer(),
                              transfer.key.domain.ascii(), transfer.key.id,
                              refusal->status.to_text(), refusal->to_text());
        co_return member.refuse_all(*refusal);
    }
    if (!member.unverified) co_await check_recipients(member);
}

base::Task<void> TransferReceiver::check_recipients(Member& member) {
    const auto& envelope = member.transfer.envelope;
    std::vector<std::uint32_t> asked;
    std::vector<mail::Mailbox> mailboxes;
    for (const auto& recipient : envelope.recipients) {
        const auto refusal =
            check_recipient(envelope, recipient.address, link_.settings(), router_);
        if (refusal) {
            member.replies.emplace(recipient.n, *refusal);
        } else if (check_ != nullptr && !recipient.address.is_postmaster()) {
            asked.push_back(recipient.n);
            mailboxes.push_back(recipient.address);
        } else {
            member.replies.emplace(recipient.n, mail::Reply{250, {2, 1, 5}, {}});
        }
    }
    if (asked.empty()) co_return;
    auto replies = co_await check_->check(envelope.from, envelope.smtputf8, std::move(mailboxes));
    for (std::size_t i = 0; i < asked.size(); ++i) {
        mail::Reply reply{451, {4, 3, 0}, "the recipient could not be checked"};
        if (i < replies.size()) reply = std::move(replies[i]);
        // What our MTA says of a recipient that it takes concerns nobody else.
        if (reply.is_success()) reply = {250, {2, 1, 5}, {}};
        member.replies.emplace(asked[i], std::move(reply));
    }
}

queue::Arrival TransferReceiver::arrival_of(const Request& request, Member& member) const {
    const auto& transfer = member.transfer;
    queue::ReceivedTransfer received{transfer.key,  request.answer->peer(), link_.settings().jid,
                                     member.digest, transfer.expires,       {}};
    queue::Origin origin{
        queue::Origin::Kind::xmpp, request.answer->peer(), {}, transfer.key, link_.settings().jid};
    queue::Arrival arrival;
    arrival.envelope = transfer.envelope;
    arrival.envelope.recipients.clear();
    arrival.origin = std::move(origin);
    for (const auto& recipient : transfer.envelope.recipients) {
        const mail::Reply& reply = member.replies.at(recipient.n);
        received.verdicts.push_back({recipient.n, reply});
        if (!reply.is_success()) continue;
        arrival.envelope.recipients.push_back(recipient);
        arrival.destinations.push_back(router_.route(transfer.envelope.from, recipient.address));
    }
    arrival.content = mail::Content(std::move(member.content));
    arrival.transfer = std::move(received);
    return arrival;
}

base::Task<void> TransferReceiver::store(Request& request) {
    std::vector<Member*> open;
    std::vector<queue::Arrival> arrivals;
    for (auto& member : request.members) {
        if (!member.is_open()) continue;
        open.push_back(&member);
        arrivals.push_back(arrival_of(request, member));
    }
    auto receipts = co_await intake_.accept_all(std::move(arrivals));
    for (std::size_t i = 0; i < open.size(); ++i) {
        Member& member = *open[i];
        const auto& key = member.transfer.key;
        const auto& peer = request.answer->peer();
        if (i >= receipts.size() || !receipts[i]) {
            const bool conflict = i < receipts.size() && receipts[i].error().code == Errc::conflict;
            (conflict ? member.id_reused : member.stored_late) = true;
            const char* const why = conflict ? "id-reuse" : "it could not be stored";
            log::transfer_refused(link_.log_limiter(), peer, key.domain.ascii(), key.id, why, why);
            continue;
        }
        // From here on it is on the disk.
        const queue::Receipt& receipt = **receipts[i];
        if (receipt.earlier) {
            const auto& earlier = *receipt.earlier;
            member.verdict =
                Verdict{key, earlier.queue_id ? earlier.queue_id->to_text() : "", earlier.verdicts};
            continue;
        }
        Verdict verdict{key, receipt.id ? receipt.id->to_text() : "", {}};
        std::size_t accepted = 0;
        for (const auto& recipient : member.transfer.envelope.recipients) {
            const mail::Reply& reply = member.replies.at(recipient.n);
            accepted += reply.is_success() ? 1 : 0;
            verdict.recipients.push_back({recipient.n, reply});
        }
        log::transfer_accepted(peer, key.domain.ascii(), key.id, verdict.queue_id, accepted,
                               verdict.recipients.size() - accepted);
        member.verdict = std::move(verdict);
    }
}

void TransferReceiver::answer(Request& request) {
    Verdicts verdicts;
    bool late = false;
    for (auto& member : request.members) {
        late = late || member.stored_late;
        if (member.verdict) verdicts.push_back(std::move(*member.verdict));
    }
    if (verdicts.empty())
        return request.answer->fail(late ? busy("it could not be stored") : id_reuse());
    std::string payload = encode_verdicts(verdicts, base::limits::kStatusText);
    // The answer has to pass the same links as the request.
    const std::size_t bound = std::min(link_.settings().max_stanza,
                                       discovery_.capability_of(request.answer->peer()).max_stanza);
    if (payload.size() > bound / 10 * 8) payload = encode_verdicts(verdicts, kShortText);
    if (payload.size() > bound / 10 * 8) payload = encode_verdicts(verdicts, 0);
    request.answer->give(payload);
}

}  // namespace component
