// Client::send: one mail transaction, from MAIL to the verdicts behind the final dot.
#include "base/crash_point.hpp"
#include "base/text.hpp"
#include "smtp-bridge/client.hpp"
#include "smtp-bridge/dot_stuffer.hpp"
#include "smtp-bridge/envelope_commands.hpp"

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using base::Result;
using mail::Reply;

/// The message is read, and leaves, in pieces of this.
constexpr std::size_t kPiece = 64u << 10;

/// Walks over a message, of which a large one is not to be in memory as a whole.
class Pieces {
  public:
    explicit Pieces(const Parcel& parcel)
        : content_(parcel.content), head_(parcel.head), at_(parcel.replaced) {}

    /// Empty at the end.
    std::string_view next() {
        const bool in_head = !head_.empty();
        const auto piece = in_head ? head_.substr(0, kPiece) : content_.bytes().substr(at_, kPiece);
        if (in_head)
            head_.remove_prefix(piece.size());
        else
            at_ += piece.size();
        return piece;
    }
    /// All pieces so far have been used.
    void forget() const { content_.forget(at_); }

  private:
    const mail::Content& content_;
    std::string_view head_;
    std::size_t at_;  // of the content
};

/// Does it have octets with the high bit? While a large one is read, others get their turn.
base::Task<bool> is_eight_bit(const Parcel& parcel) {
    const auto executor = co_await asio::this_coro::executor;
    Pieces pieces(parcel);
    for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
        if (!base::is_ascii(piece)) co_return true;
        pieces.forget();
        if (piece.size() == kPiece) co_await asio::post(executor, asio::use_awaitable);
    }
    co_return false;
}

}  // namespace

Reply as_verdict(const ServerReply& reply) {
    Reply verdict = reply.to_mail();
    if (verdict.code == 552 && verdict.status == mail::EnhancedStatus{5, 5, 3}) {
        verdict.code = 452;
        verdict.status.klass = 4;
    }
    if (verdict.code / 100 == 3)
        return {451,
                {4, 5, 0},
                base::printable("Unexpected reply: " + verdict.text, base::limits::kStatusText)};
    return verdict;
}

queue::Outcome Client::outcome(const Reply& reply) const {
    if (reply.is_success()) {
        using queue::Handover;
        // RFC 3461 section 5.2.2: LMTP is spoken by what delivers; SMTP may go on from there.
        const bool is_last = target_.protocol == Protocol::lmtp;
        const Handover ours = is_last ? Handover::delivered : Handover::relayed;
        return queue::Delivered{reply, remote_, extensions_.dsn ? Handover::passed_on : ours};
    }
    if (reply.is_permanent()) return queue::Failed{reply, remote_};
    // What a server says that is still there is its word on this mail; otherwise the next hop is
    // out, for all mail.
    return queue::Deferred{reply, remote_, alive_, std::nullopt};
}

base::Task<SendResult> Client::send(Parcel parcel) {
    const auto& recipients = parcel.envelope.recipients;
    SendResult result;
    // Until something else is known of a recipient.
    result.outcomes.assign(recipients.size(), queue::Deferred{});
    const auto settle_all = [&](const std::vector<std::size_t>& which, const Reply& reply) {
        for (const std::size_t i : which)
            result.outcomes[i] = outcome(reply);
    };
    // A BODY=7BIT that isn't true, and that we trusted, would let a later hop mangle the message.
    if (!extensions_.eight_bit_mime || parcel.envelope.body != mail::Body::eight_bit_mime) {
        const bool eight_bit = co_await is_eight_bit(parcel);
        parcel.eight_bit = eight_bit;
    }
    std::vector<std::size_t> asked;  // whose RCPT is sent
    const auto impossible = cannot_carry(parcel, extensions_);
    for (std::size_t i = 0; i < recipients.size(); ++i) {
        const auto refusal =
            impossible ? impossible : cannot_carry(recipients[i].address, extensions_);
        if (refusal)
            result.outcomes[i] = outcome(*refusal);
        else
            asked.push_back(i);
    }
    if (asked.empty()) co_return result;

    std::vector<std::string> lines;
    lines.push_back(mail_command(parcel, extensions_));
    for (const std::size_t i : asked)
        lines.push_back(rcpt_command(recipients[i], extensions_));
    lines.emplace_back("DATA\r\n");
    std::vector<std::size_t> accepted;
    std::size_t answered = 0;         // of `asked`
    std::optional<Reply> no_sender;   // MAIL was refused
    std::optional<ServerReply> data;  // the answer to DATA
    bool any_answer = false;
    const OnReply on_reply = [&](std::size_t i, const ServerReply& reply) {
        any_answer = any_answer || reply.code != 421;
        if (i == 0) {
            if (!reply.is(2)) no_sender = as_verdict(reply);
        } else if (i <= asked.size()) {
            const std::size_t recipient = asked[answered++];
            const Reply verdict = as_verdict(reply);
            if (verdict.is_success())
                accepted.push_back(recipient);
            else
                result.outcomes[recipient] = outcome(verdict);
        } else {
            data = reply;
        }
        return !no_sender && !(answered == asked.size() && accepted.empty());
    };
    result.sent = true;
    const auto conversed = co_await converse(std::move(lines), on_reply);
    if (no_sender) settle_all(asked, *no_sender);
    if (!conversed) {
        result.stale = kept_ && !any_answer;
        const Reply reply = lost(conversed.error(), "the link in the envelope");
        if (!no_sender) {
            settle_all({asked.begin() + static_cast<std::ptrdiff_t>(answered), asked.end()}, reply);
            settle_all(accepted, data && !data->is(3) ? as_verdict(*data) : reply);
        }
        co_return result;
    }
    const bool ready = data && data->code == 354;
    if (no_sender || accepted.empty() || !ready) {
        if (!no_sender && data && !ready) {
            const Reply verdict = as_verdict(*data);
            // Success is no answer to DATA.
            settle_all(accepted,
                       verdict.is_success() ? Reply{451, {4, 5, 0}, verdict.text} : verdict);
        }
        // A server that wants data for nobody can't be told otherwise.
        if (ready) alive_ = false;
        co_await reset();
        co_return result;
    }

    bool at_the_dot = false;
    const auto body = co_await send_body(parcel, at_the_dot);
    if (!body) {
        result.maybe_taken = at_the_dot;
        settle_all(accepted, lost(body.error(), "the link in the message"));
        co_return result;
    }
    const auto broken = co_await read_verdicts(accepted, result);
    base::crash_point("smtp-client.verdicts-read");
    result.maybe_taken = broken.has_value();
    if (!broken) resets_ = 0;
    co_return result;
}

/// `at_the_dot`: the piece with the final dot may have left.
base::Task<Result<void>> Client::send_body(Parcel parcel, bool& at_the_dot) {
    DotStuffer stuffer;
    Pieces pieces(parcel);
    for (auto piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
        stuffer.feed(piece, wire_->output());
        pieces.forget();
        if (wire_->waiting() < kPiece) continue;
        const auto sent = co_await wire_->flush(within(settings_.times.data_block));
        if (!sent) co_return sent.error();
    }
    stuffer.finish(wire_->output());
    at_the_dot = true;
    base::crash_point("smtp-client.before-dot");
    const auto sent = co_await wire_->flush(within(settings_.times.data_block));
    base::crash_point("smtp-client.dot-written");
    co_return sent;
}

/// LMTP: a reply for each recipient that was accepted; SMTP: one for all of them. Returns what is
/// said of those whose reply never came: the server may have their mail or not (RFC 1047), so they
/// get it again.
base::Task<std::optional<Reply>> Client::read_verdicts(const std::vector<std::size_t>& accepted,
                                                       SendResult& result) {
    const bool each = target_.protocol == Protocol::lmtp;
    std::optional<Reply> broken;
    std::optional<Reply> last;
    for (const std::size_t i : accepted) {
        if (!broken && (each || !last)) {
            const auto reply = co_await read_reply(settings_.times.data_done);
            if (reply)
                last = as_verdict(*reply);
            else
                broken = lost(reply.error(), "the link behind the final dot");
        }
        result.outcomes[i] = outcome(broken ? *broken : *last);
    }
    co_return broken;
}

}  // namespace smtp_bridge
