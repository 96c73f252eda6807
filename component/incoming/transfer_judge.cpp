#include "component/incoming/transfer_judge.hpp"

#include "component/log.hpp"
#include "component/protocol/transfer_codec.hpp"

#include <algorithm>

namespace component {
namespace {

// At once: of the requests that may be under way, the rest is for those who are known ...
constexpr std::size_t kVerifying = 100;
// ... and of these the rest is for those that mail of ours has gone to.
constexpr std::size_t kStrangersVerifying = 75;

/// Of what can't be verified now. That we have too much to do is not what it waits for.
StanzaError put_off(const Authorisation& authorisation) {
    return authorisation.unreachable ? unverified(authorisation.why) : busy(authorisation.why);
}

}  // namespace

bool Replies::any_accepted() const {
    return std::ranges::any_of(by_number,
                               [](const auto& item) { return item.second.is_success(); });
}

bool Replies::may_change() const {
    return std::ranges::all_of(by_number,
                               [](const auto& item) { return item.second.is_transient(); });
}

void Replies::refuse_all(const mail::Envelope& envelope, const mail::Reply& reply) {
    for (const auto& recipient : envelope.recipients)
        by_number.insert_or_assign(recipient.n, reply);
}

void Replies::refuse_rest(const mail::Envelope& envelope, const mail::Reply& reply) {
    for (const auto& recipient : envelope.recipients)
        by_number.emplace(recipient.n, reply);
}

base::Task<Authorisation> TransferJudge::verify(std::string peer, mail::Domain domain) {
    using Answer = Authorisation::Answer;
    if (discovery_.is_authorised(peer, domain)) co_return Authorisation{Answer::yes, {}};
    const bool stranger = !discovery_.is_correspondent(peer);
    if (verifying_ >= (stranger ? kStrangersVerifying : kVerifying))
        co_return Authorisation{Answer::unknown, "too many senders are being verified"};
    ++verifying_;
    auto authorisation = co_await discovery_.authorise(link_, std::move(peer), std::move(domain));
    --verifying_;
    co_return authorisation;
}

base::Task<std::optional<StanzaError>> TransferJudge::authorise(std::string peer,
                                                                mail::Domain domain) {
    const Authorisation authorisation = co_await verify(std::move(peer), domain);
    if (authorisation.answer == Authorisation::Answer::yes) {
        on_sender_(domain);
        co_return std::nullopt;
    }
    const bool no = authorisation.answer == Authorisation::Answer::no;
    co_return no ? not_authorised(authorisation.why) : put_off(authorisation);
}

ClassGate::Answer TransferJudge::ask_gate(const std::string& peer, const IncomingTransfer& transfer,
                                          const queue::KnownTransfer& known) {
    const bool reaches_postmaster = std::ranges::any_of(
        transfer.envelope.recipients,
        [](const mail::Recipient& recipient) { return recipient.address.is_postmaster(); });
    const ClassGate::Asking asking{known.sender_class,
                                   transfer.key.domain,
                                   link_.settings().assurance,
                                   transfer.envelope.recipients.size(),
                                   transfer.size,
                                   known.state == queue::KnownTransfer::State::open,
                                   reaches_postmaster};
    ClassGate::Answer answer = gate_.ask(asking);
    const char* const limit = answer.later     ? answer.later->limit
                              : answer.refused ? answer.refused->limit
                                               : nullptr;
    if (limit != nullptr)
        log::class_limit(link_.log_limiter(), peer, transfer.key.domain.ascii(),
                         queue::to_text(known.sender_class), limit,
                         answer.later ? "waits" : "refused", transfer.key.id);
    return answer;
}

Replies TransferJudge::refuse_by_class(const mail::Envelope& envelope, const mail::Reply& reply) {
    Replies replies;
    for (const auto& recipient : envelope.recipients) {
        if (!recipient.address.is_postmaster()) replies.by_number.emplace(recipient.n, reply);
    }
    return replies;
}

base::Task<Replies> TransferJudge::judge(std::string peer, const IncomingTransfer& transfer,
                                         Replies replies, std::optional<mail::Reply> refusal) {
    if (const auto expired = check_expiry(transfer, clock_.now())) {
        // Whatever else there is to say: it comes again under another id.
        refusal = expired;
        replies.by_number.clear();
    }
    if (!refusal && replies.are_complete(transfer.envelope)) co_return replies;
    if (!refusal) refusal = check_envelope(transfer.envelope, link_.settings());
    if (!refusal) refusal = check_size(transfer, link_.settings());
    if (!refusal && is_foreign_sender(transfer)) {
        const mail::Domain domain = transfer.envelope.from->domain();
        auto authorisation = co_await discovery_.authorise(link_, peer, domain);
        if (authorisation.answer == Authorisation::Answer::no)
            refusal = mail::Reply{550, {5, 7, 1}, authorisation.why};
        if (authorisation.answer == Authorisation::Answer::unknown)
            replies.unverified = put_off(authorisation);
    }
    if (refusal) {
        log::transfer_refused(link_.log_limiter(), peer, transfer.key.domain.ascii(),
                              transfer.key.id, refusal->status.to_text(), refusal->to_text());
        replies.refuse_rest(transfer.envelope, *refusal);
        co_return replies;
    }
    if (!replies.unverified) co_await check_recipients(peer, transfer, replies);
    co_return replies;
}

base::Task<void> TransferJudge::check_recipients(std::string peer, const IncomingTransfer& transfer,
                                                 Replies& replies) {
    const auto& envelope = transfer.envelope;
    std::vector<std::uint32_t> asked;
    std::vector<mail::Mailbox> mailboxes;
    for (const auto& recipient : envelope.recipients) {
        if (replies.by_number.contains(recipient.n)) continue;
        const auto refusal =
            check_recipient(envelope, recipient.address, link_.settings(), router_);
        if (refusal) {
            replies.by_number.emplace(recipient.n, *refusal);
        } else if (check_.is_on() && !recipient.address.is_postmaster()) {
            asked.push_back(recipient.n);
            mailboxes.push_back(recipient.address);
        } else {
            replies.by_number.emplace(recipient.n, mail::Reply{250, {2, 1, 5}, {}});
        }
    }
    if (asked.empty()) co_return;
    auto answers =
        co_await check_.check(peer, envelope.from, envelope.smtputf8, std::move(mailboxes));
    for (std::size_t i = 0; i < asked.size(); ++i) {
        mail::Reply& reply = answers.at(i);
        // What our MTA says of a recipient that it takes concerns nobody else.
        if (reply.is_success()) reply = {250, {2, 1, 5}, {}};
        replies.by_number.emplace(asked[i], std::move(reply));
    }
}

queue::Arrival TransferJudge::arrival(const std::string& peer, const IncomingTransfer& transfer,
                                      const Replies& replies) const {
    const std::string& component = link_.settings().jid;
    queue::ReceivedTransfer received{transfer.key,     peer, component, digest_of(transfer),
                                     transfer.expires, {}};
    queue::Arrival arrival;
    arrival.envelope = transfer.envelope;
    arrival.envelope.recipients.clear();
    arrival.origin = {queue::Origin::Kind::xmpp, peer, {}, transfer.key, component};
    for (const auto& recipient : transfer.envelope.recipients) {
        const mail::Reply& reply = replies.by_number.at(recipient.n);
        received.verdicts.push_back({recipient.n, reply});
        if (!reply.is_success()) continue;
        arrival.envelope.recipients.push_back(recipient);
        arrival.destinations.push_back(router_.route(transfer.envelope.from, recipient.address));
    }
    // Its sender has told its own user until when it is tried, and reports after that have nobody
    // to tell them.
    arrival.expires_at = transfer.expires;
    arrival.transfer = std::move(received);
    return arrival;
}

}  // namespace component
