#include "component/incoming/transfer_answer.hpp"

#include "component/log.hpp"
#include "component/protocol/transfer_codec.hpp"

#include <algorithm>

namespace component {

Verdict verdict_of(const queue::TransferKey& key, const queue::KnownTransfer& known,
                   std::size_t window) {
    using Known = queue::KnownTransfer::State;
    Verdict verdict{key, Verdict::State::unknown, {}, {}, 0, 0};
    switch (known.state) {
        case Known::unknown:
            break;
        case Known::open:
            verdict.state = Verdict::State::open;
            verdict.offset = known.offset;
            verdict.window = window;
            break;
        case Known::aborted:
            verdict.state = Verdict::State::aborted;
            break;
        case Known::done:
            verdict.state = Verdict::State::done;
            if (known.queue_id) verdict.queue_id = known.queue_id->to_text();
            verdict.recipients = known.verdicts;
            break;
    }
    return verdict;
}

namespace {

/// One word for what became of it: nobody is to read "accepted" of a mail that nobody gets.
void log_verdict(LogLimiter& limiter, const std::string& peer, const Verdict& verdict,
                 queue::PeerClass sender_class) {
    const auto is_accepted = [](const auto& each) { return each.reply.is_success(); };
    const auto& recipients = verdict.recipients;
    const auto accepted = static_cast<std::size_t>(std::ranges::count_if(recipients, is_accepted));
    const std::string domain = verdict.key.domain.ascii();
    const auto word = queue::to_text(sender_class);
    if (accepted == 0 && !recipients.empty())
        log::recipients_refused(limiter, peer, domain, verdict.key.id, recipients.size(),
                                recipients.front().reply.to_text(), word);
    else
        log::transfer_accepted(peer, domain, verdict.key.id, verdict.queue_id, accepted,
                               recipients.size() - accepted, word);
}

}  // namespace

Verdict stored_verdict(LogLimiter& limiter, const std::string& peer,
                       const IncomingTransfer& transfer, const Replies& replies,
                       const queue::Committed<queue::Receipt>& receipt) {
    const auto& key = transfer.key;
    if (receipt->earlier) return verdict_of(key, *receipt->earlier, 0);
    Verdict verdict{key, Verdict::State::done, receipt->id ? receipt->id->to_text() : "", {}, 0, 0};
    for (const auto& recipient : transfer.envelope.recipients) {
        const mail::Reply& reply = replies.by_number.at(recipient.n);
        verdict.recipients.push_back({recipient.n, reply});
    }
    log_verdict(limiter, peer, verdict, receipt->sender_class);
    return verdict;
}

TransferAnswer::TransferAnswer(Link& link, IqHead head, std::string peer,
                               std::shared_ptr<void> held)
    : link_(link), head_(std::move(head)), peer_(std::move(peer)), held_(std::move(held)) {}

TransferAnswer::~TransferAnswer() {
    if (!given_) fail({"cancel", "internal-server-error", {}, {}, {}});
}

void TransferAnswer::fail(const StanzaError& error) {
    given_ = true;
    const std::string_view kind = error.ours.empty() ? error.condition : error.ours;
    // To look back is part of the protocol, and of a limit there is a line already.
    const bool is_told =
        kind == "bad-offset" || kind == "unknown-transfer" || error.cause == BusyCause::rate;
    if (!is_told) log::request_refused(link_.log_limiter(), head_.from, kind, error.to_text());
    auto stanza = write_error("iq", head_, error);
    if (stanza) (void)link_.send(std::move(*stanza));
}

void TransferAnswer::give(std::string_view payload) {
    given_ = true;
    auto stanza = write_iq({"result", head_.id, head_.to, head_.from}, payload);
    const auto sent = stanza ? link_.send(std::move(*stanza)) : base::Result<void>(stanza.error());
    // The peer sends them again, and gets the stored verdicts.
    if (!sent)
        log::request_refused(link_.log_limiter(), head_.from, "unsent",
                             "the verdicts are not sent: " + sent.error().text);
}

void TransferAnswer::give(const Verdicts& verdicts, std::size_t bound) {
    // The answer has to pass the same links as the request. Its lines fit by max-recipients, and of
    // their texts as much as there is room for.
    std::size_t longest = base::limits::kStatusText;
    std::string payload = encode_verdicts(verdicts, longest);
    while (payload.size() > room_for_answer(bound) && longest > 0) {
        longest /= 2;
        payload = encode_verdicts(verdicts, longest);
    }
    give(payload);
}

}  // namespace component
