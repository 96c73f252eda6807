#include "component/incoming/transfer_receiver.hpp"

#include "base/crash_point.hpp"
#include "component/incoming/transfer_answer.hpp"
#include "component/incoming/transfer_policy.hpp"
#include "component/log.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/xml/jid.hpp"

#include <algorithm>
#include <set>

namespace component {
namespace {

using namespace std::chrono_literals;
using base::Errc;

constexpr std::size_t kJudged = 8;    // transfers of a request whose recipients are checked at once
constexpr auto kAuthorityTime = 60s;  // for all domains of a request; its sender waits 120 s
constexpr std::size_t kUnpacked = 128u << 20;  // bytes of blocks that are unpacked at the same time
constexpr std::size_t kRequests = 200;         // under way, of all peers; chunks aside
constexpr std::size_t kChunks = 128;           // under way, of one organisation's peers
constexpr std::size_t kHeld = 128u << 20;      // bytes of blocks that wait, of all peers ...
constexpr std::size_t kHeldOfPeer = 16u << 20;  // ... and of one organisation's
// Of what all may hold, peers that mail of ours never went to leave the others a quarter.
constexpr std::size_t for_strangers(std::size_t all) {
    return all / 4 * 3;
}

StanzaError too_many_domains() {
    return busy("too many domains to be verified in one request");
}

/// Bytes that the request holds until it is answered.
std::size_t bytes_of(const TransferPayload& payload) {
    if (const auto* batch = std::get_if<IncomingBatch>(&payload)) return batch->block.size();
    // A chunk is unpacked while it is held, and no batch is before it has been looked at.
    if (const auto* chunk = std::get_if<IncomingChunk>(&payload))
        return chunk->block.size() + chunk->size;
    return 0;
}

}  // namespace

struct TransferReceiver::Member {
    IncomingTransfer transfer;
    mail::Sha256 digest{};
    queue::KnownTransfer known{};
    ClassGate::Answer admitted{};
    std::string content{};
    std::optional<mail::HeaderSummary> header{};  ///< of the content, once that was looked at
    Replies replies{};
    std::optional<Verdict> verdict{};  ///< what is on the disk, and may be answered
    bool id_reused = false;
    bool stored_late = false;  ///< could not be stored

    bool is_open() const { return !verdict && !id_reused && !admitted.later; }
    /// Some of its recipients may be accepted, so that its content counts.
    bool needs_content() const { return is_open() && !replies.are_complete(transfer.envelope); }
};

/// Counts a request, and the bytes of its block, until it has been answered.
class TransferReceiver::Held {
  public:
    Held(TransferReceiver& receiver, const std::string& peer, const TransferPayload& payload)
        : receiver_(receiver),
          whose_(mail::Organisation::of(peer)),
          chunk_(std::holds_alternative<IncomingChunk>(payload)),
          bytes_(bytes_of(payload)) {
        for (Load* load : {&receiver_.load_, &receiver_.loads_[whose_]}) {
            ++(chunk_ ? load->chunks : load->requests);
            load->bytes += bytes_;
        }
    }
    ~Held() {
        const auto of_peer = receiver_.loads_.find(whose_);
        for (Load* load : {&receiver_.load_, &of_peer->second}) {
            --(chunk_ ? load->chunks : load->requests);
            load->bytes -= bytes_;
        }
        if (of_peer->second.requests + of_peer->second.chunks == 0) receiver_.loads_.erase(of_peer);
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

  private:
    TransferReceiver& receiver_;
    mail::Organisation whose_;
    bool chunk_;
    std::size_t bytes_;
};

struct TransferReceiver::Request {
    std::shared_ptr<TransferAnswer> answer;
    std::vector<Member> members;
    std::string block;
    bool deflated = false;
    std::size_t block_size = 0;
};

TransferReceiver::TransferReceiver(base::asio::any_io_executor executor, Link& link,
                                   Discovery& discovery, ClassGate& gate, queue::Intake& intake,
                                   queue::TransferBook& book, queue::ReportBook& reports,
                                   queue::RecipientCheck* check, const queue::Router& router,
                                   base::Clock& clock, queue::ComplaintBook* complaints)
    : executor_(executor),
      link_(link),
      discovery_(discovery),
      intake_(intake),
      book_(book),
      judge_(link, discovery, gate, check, router, clock),
      open_(executor, link, discovery, intake, book, judge_, clock),
      reports_(executor, reports, complaints),
      mirror_(executor, link, discovery, judge_, clock),
      tasks_(executor) {
    link_.set_transfer_handler(this);
}

TransferReceiver::~TransferReceiver() {
    link_.set_transfer_handler(nullptr);
}

base::Task<void> TransferReceiver::stop() {
    stopping_ = true;
    co_await tasks_.join();
    co_await open_.stop();
    co_await reports_.stop();
    co_await mirror_.stop();
}

std::size_t TransferReceiver::holds() const {
    return tasks_.running() + open_.under_way() + reports_.under_way() + mirror_.under_way() +
           open_.remembered() + loads_.size() + load_.requests + load_.chunks + load_.bytes +
           load_.unpacked;
}

std::optional<StanzaError> TransferReceiver::refusal(const std::string& peer,
                                                     const TransferPayload& payload,
                                                     const std::string& type) const {
    if (const auto* bad = std::get_if<Malformed>(&payload)) return malformed(bad->why);
    if (std::holds_alternative<Verdicts>(payload) || std::holds_alternative<Ack>(payload) ||
        std::holds_alternative<Mirrored>(payload))
        return malformed("an answer is no request");
    const bool asks = std::holds_alternative<IncomingStatus>(payload) ||
                      std::holds_alternative<IncomingMirror>(payload);
    if ((type == "get") != asks)
        return malformed("only status and mirror are asked for by an IQ of type get");
    if (stopping_) return busy("we are stopping");
    const auto found = loads_.find(mail::Organisation::of(peer));
    const Load of_peer = found == loads_.end() ? Load() : found->second;
    const std::size_t more = bytes_of(payload);
    const bool chunk = std::holds_alternative<IncomingChunk>(payload);
    const bool stranger = !discovery_.is_correspondent(peer);
    const std::size_t requests = stranger ? for_strangers(kRequests) : kRequests;
    const std::size_t bytes = stranger ? for_strangers(kHeld) : kHeld;
    const bool full =
        chunk ? of_peer.chunks >= kChunks
              : of_peer.requests >= base::limits::kReceivingBatches || load_.requests >= requests;
    if (full || of_peer.bytes + more > kHeldOfPeer || load_.bytes + more > bytes)
        return busy("too many requests at once");
    return std::nullopt;
}

void TransferReceiver::on_transfers(IqHead head, TransferPayload payload) {
    const auto from = Jid::parse(head.from);
    std::string peer = from ? from->bare() : head.from;
    const std::string type = head.type;
    auto error = refusal(peer, payload, type);
    if (!from || !from->is_domain()) error = not_authorised("mail comes from components only");
    const auto held = error ? nullptr : std::make_shared<Held>(*this, peer, payload);
    const auto answer = std::make_shared<TransferAnswer>(link_, std::move(head), peer, held);
    if (error) return answer->fail(*error);
    if (auto* report = std::get_if<IncomingReport>(&payload))
        return reports_.take(answer, std::move(*report));
    if (auto* complaint = std::get_if<IncomingComplaint>(&payload))
        return reports_.take(answer, std::move(*complaint));
    if (auto* mirror = std::get_if<IncomingMirror>(&payload))
        return mirror_.take(answer, std::move(*mirror));
    auto* batch = std::get_if<IncomingBatch>(&payload);
    if (batch == nullptr) return open_.take(answer, std::move(payload));
    const auto kept = std::make_shared<IncomingBatch>(std::move(*batch));
    tasks_.spawn("transfer receiver",
                 [this, answer, kept] { return handle(answer, std::move(*kept)); });
}

base::Task<void> TransferReceiver::handle(std::shared_ptr<TransferAnswer> answer_once,
                                          IncomingBatch batch) {
    Request request{
        std::move(answer_once), {}, std::move(batch.block), batch.deflated, batch.block_size};
    for (auto& transfer : batch.transfers) {
        Member member{std::move(transfer)};
        member.digest = digest_of(member.transfer);
        request.members.push_back(std::move(member));
    }
    const bool authorised = co_await authorise(request);
    if (!authorised) co_return;
    const bool found = co_await find_earlier(request);
    if (!found) co_return;
    ask_gate(request);
    const bool all_known =
        std::ranges::none_of(request.members, [](const Member& m) { return m.is_open(); });
    if (all_known) co_return answer(request);
    // Not a byte of a block is looked at that nobody gets.
    const bool unpacks =
        std::ranges::any_of(request.members, [](const Member& m) { return m.needs_content(); });
    const std::size_t size = unpacks ? request.block_size : 0;
    const std::string& peer = request.answer->peer();
    Load& of_peer = loads_.at(mail::Organisation::of(peer));  // stays while the answer does
    const std::size_t most =
        discovery_.is_correspondent(peer) ? kUnpacked : for_strangers(kUnpacked);
    if (load_.unpacked + size > most || of_peer.unpacked + size > base::limits::kPeerUnpacked) {
        request.answer->fail(busy("too much is being unpacked at once"));
        co_return;
    }
    load_.unpacked += size;
    of_peer.unpacked += size;
    const std::shared_ptr<void> counted(nullptr, [this, &of_peer, size](void*) {
        load_.unpacked -= size;
        of_peer.unpacked -= size;
    });
    if (unpacks && !read_contents(request)) co_return;
    const std::function<base::Task<void>(std::size_t)> work =
        [&](std::size_t i) -> base::Task<void> {
        Member& member = request.members[i];
        if (member.is_open()) co_await judge(request, member);
    };
    co_await base::for_each(request.members.size(), kJudged, work);
    for (const Member& member : request.members) {
        if (member.replies.unverified) co_return request.answer->fail(*member.replies.unverified);
    }
    co_await store(request);
    answer(request);
}

base::Task<bool> TransferReceiver::authorise(Request& request) {
    std::set<mail::Domain> domains;
    std::set<mail::Domain> senders;  // that the transfers' own domains don't cover
    for (const auto& member : request.members) {
        domains.insert(member.transfer.key.domain);
        if (is_foreign_sender(member.transfer))
            senders.insert(member.transfer.envelope.from->domain());
    }
    const auto began = std::chrono::steady_clock::now();
    const auto late = [&] { return std::chrono::steady_clock::now() - began > kAuthorityTime; };
    for (const auto& domain : domains) {
        if (late()) {
            request.answer->fail(too_many_domains());
            co_return false;
        }
        const auto error = co_await judge_.authorise(request.answer->peer(), domain);
        if (!error) continue;
        request.answer->fail(*error);
        co_return false;
    }
    // Looked up now, before anything is unpacked; what they are refused with is the judge's to say.
    for (const auto& domain : senders) {
        if (late()) {
            request.answer->fail(too_many_domains());
            co_return false;
        }
        const auto ignored = co_await judge_.authorise(request.answer->peer(), domain);
        static_cast<void>(ignored);
    }
    co_return true;
}

base::Task<bool> TransferReceiver::find_earlier(Request& request) {
    using Known = queue::KnownTransfer::State;
    std::vector<queue::TransferKey> keys;
    for (const auto& member : request.members)
        keys.push_back(member.transfer.key);
    auto found = co_await book_.find(std::move(keys), true);
    if (!found) {
        request.answer->fail(busy("the storage does not answer"));
        co_return false;
    }
    const std::string& peer = request.answer->peer();
    for (std::size_t i = 0; i < request.members.size() && i < found->size(); ++i) {
        Member& member = request.members[i];
        const queue::KnownTransfer& known = (*found)[i];
        const auto& key = member.transfer.key;
        if (known.is_other(peer, member.digest)) {
            member.id_reused = true;
            log::transfer_refused(link_.log_limiter(), peer, key.domain.ascii(), key.id, "id-reuse",
                                  "id-reuse");
        } else if (known.state == Known::done || known.state == Known::aborted) {
            log::transfer_repeated(link_.log_limiter(), peer, key.domain.ascii(), key.id);
            member.verdict = verdict_of(key, known, 0);
        }
        member.known = std::move((*found)[i]);
    }
    co_return true;
}

void TransferReceiver::ask_gate(Request& request) {
    for (Member& member : request.members) {
        if (!member.is_open()) continue;
        const IncomingTransfer& transfer = member.transfer;
        member.admitted = judge_.ask_gate(request.answer->peer(), transfer, member.known);
        if (const auto& refused = member.admitted.refused)
            member.replies = TransferJudge::refuse_by_class(transfer.envelope, refused->reply);
    }
}

bool TransferReceiver::read_contents(Request& request) {
    auto bytes = codec_.unpack(request.block, request.deflated, request.block_size);
    request.block = {};
    if (!bytes) {
        request.answer->fail(malformed(bytes.error().text));
        return false;
    }
    for (auto& member : request.members)
        member.content = bytes->substr(member.transfer.offset, member.transfer.size);
    return true;
}

base::Task<void> TransferReceiver::judge(Request& request, Member& member) {
    std::optional<mail::Reply> refusal;
    if (member.needs_content()) {
        auto check = ContentCheck::of(member.content);
        refusal = check_content(member.transfer, check);
        member.header = std::move(check.header);
    }
    if (member.needs_content() && !refusal) refusal = judge_.refuse_loop(member.content);
    Replies decided = std::move(member.replies);
    member.replies = co_await judge_.judge(request.answer->peer(), member.transfer,
                                           std::move(decided), std::move(refusal));
}

base::Task<void> TransferReceiver::store(Request& request) {
    const std::string& peer = request.answer->peer();
    std::vector<Member*> open;
    std::vector<queue::Arrival> arrivals;
    for (auto& member : request.members) {
        if (!member.is_open()) continue;
        open.push_back(&member);
        arrivals.push_back(judge_.arrival(peer, member.transfer, member.replies));
        arrivals.back().header = std::move(member.header);
        arrivals.back().content = mail::Content(std::move(member.content));
    }
    base::crash_point("receiver.before-store");
    auto receipts = co_await intake_.accept_all(std::move(arrivals));
    base::crash_point("receiver.stored");
    for (std::size_t i = 0; i < open.size(); ++i) {
        Member& member = *open[i];
        if (i < receipts.size() && receipts[i]) {
            member.admitted.pass.taken();
            member.verdict = stored_verdict(link_.log_limiter(), peer, member.transfer,
                                            member.replies, *receipts[i]);
            if (member.replies.any_accepted()) {
                const auto domains =
                    domains_of_recipients(member.transfer.envelope, link_.settings());
                discovery_.received_from(member.transfer.key.domain, domains);
            }
            continue;
        }
        const bool conflict = i < receipts.size() && receipts[i].error().code == Errc::conflict;
        (conflict ? member.id_reused : member.stored_late) = true;
        const char* const why = conflict ? "id-reuse" : "it could not be stored";
        log::transfer_refused(link_.log_limiter(), peer, member.transfer.key.domain.ascii(),
                              member.transfer.key.id, why, why);
    }
}

void TransferReceiver::answer(Request& request) {
    Verdicts verdicts;
    bool late = false;
    const ClassGate::Answer::Later* later = nullptr;
    for (auto& member : request.members) {
        late = late || member.stored_late;
        const auto& waits = member.admitted.later;
        if (waits && (later == nullptr || waits->retry_after < later->retry_after)) later = &*waits;
        if (member.verdict) verdicts.push_back(std::move(*member.verdict));
    }
    if (verdicts.empty() && later != nullptr && !late)
        return request.answer->fail(beyond_rate(later->text, later->retry_after));
    if (verdicts.empty())
        return request.answer->fail(late ? busy("it could not be stored") : id_reuse());
    const std::size_t theirs = discovery_.capability_of(request.answer->peer()).max_stanza;
    request.answer->give(verdicts, std::min(link_.settings().max_stanza, theirs));
}

}  // namespace component
