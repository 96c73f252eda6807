// Client::send: one mail transaction, from MAIL to the verdicts behind the final dot.
#include "base/crash_point.hpp"
#include "base/text.hpp"
#include "smtp-bridge/client/client.hpp"
#include "smtp-bridge/client/dot_stuffer.hpp"
#include "smtp-bridge/client/envelope_commands.hpp"
#include "smtp-bridge/client/verdict.hpp"

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using base::Result;
using mail::Reply;

/// The message leaves in pieces of this, ...
constexpr std::size_t kPiece = 64u << 10;
/// ... and is read in such of this.
constexpr std::size_t kRead = 256u << 10;

/// Walks over a message, of which a large one is not to be in memory as a whole.
class Pieces {
  public:
    explicit Pieces(const Parcel& parcel)
        : content_(parcel.content), next_(parcel.head), at_(parcel.replaced) {}

    /// There is no next() before a read().
    bool has_to_read() const { return next_.empty() && at_ < content_.size(); }
    /// Errc::storage, Errc::damaged.
    base::Task<Result<void>> read() {
        // What is in memory is at hand as a whole.
        auto block = co_await content_.read(at_, content_.is_in_memory() ? content_.size() : kRead);
        if (!block) co_return block.error();
        block_ = std::move(*block);
        next_ = block_.bytes();
        at_ += block_.size();
        co_return Result<void>();
    }
    /// Empty at the end.
    std::string_view next() {
        const auto piece = next_.substr(0, kPiece);
        next_.remove_prefix(piece.size());
        return piece;
    }

  private:
    const queue::Content& content_;
    mail::Content block_;    // what was read last
    std::string_view next_;  // of the head, or of that
    std::size_t at_;         // of the content
};

/// Does it have octets with the high bit? While a large one is read, others get their turn.
base::Task<Result<bool>> is_eight_bit(const Parcel& parcel) {
    const auto executor = co_await asio::this_coro::executor;
    Pieces pieces(parcel);
    for (;;) {
        if (pieces.has_to_read()) {
            const auto read = co_await pieces.read();
            if (!read) co_return read.error();
        }
        const auto piece = pieces.next();
        if (piece.empty()) co_return false;
        if (!base::is_ascii(piece)) co_return true;
        if (piece.size() == kPiece) co_await asio::post(executor, asio::use_awaitable);
    }
}

base::Task<Result<bool>> is_eight_bit_header(const Parcel& parcel) {
    if (!base::is_ascii(parcel.head)) co_return true;
    // The head is whole fields, and the rest goes on with fields, the empty line or the body.
    const auto header = co_await queue::read_header(parcel.content, parcel.replaced);
    if (!header) co_return header.error();
    co_return !base::is_ascii(header->bytes());
}

/// Nothing more is tried.
void give_up(SendResult& result, const base::Error& why) {
    for (const std::size_t place : result.left)
        result.outcomes[place] = queue::unreadable(why);
    result.left.clear();
}

}  // namespace

queue::Outcome Client::outcome(const Reply& reply) const {
    if (reply.is_success()) {
        using queue::Handover;
        // RFC 3461 5.2.2: LMTP is spoken by what delivers; SMTP may go on from there.
        const bool is_last = target_.protocol == Protocol::lmtp;
        const Handover ours = is_last ? Handover::delivered : Handover::relayed;
        return queue::Delivered{reply, remote_, extensions_.dsn ? Handover::passed_on : ours};
    }
    if (reply.is_permanent()) return queue::Failed{reply, remote_};
    // What a server says that is still there is its word on this mail; otherwise the next hop is
    // out, for all mail.
    return queue::Deferred{reply, remote_, alive_, std::nullopt};
}

/// At what this server has to know of its octets.
base::Task<Result<void>> Client::look_at(Parcel& parcel) const {
    // A BODY=7BIT that isn't true, and that we trusted, would let a later hop mangle the message.
    if (!extensions_.eight_bit_mime || parcel.envelope.body != mail::Body::eight_bit_mime) {
        const auto eight_bit = co_await is_eight_bit(parcel);
        if (!eight_bit) co_return eight_bit.error();
        parcel.eight_bit = *eight_bit;
    }
    if (!extensions_.smtputf8 && parcel.envelope.smtputf8) {
        const auto eight_bit = co_await is_eight_bit_header(parcel);
        if (!eight_bit) co_return eight_bit.error();
        parcel.eight_bit_header = *eight_bit;
    }
    co_return Result<void>();
}

base::Task<void> Client::send(Parcel parcel, SendResult& result) {
    const auto& recipients = parcel.envelope.recipients;
    const auto looked = co_await look_at(parcel);
    if (!looked) {
        give_up(result, looked.error());
        co_return;
    }
    const auto impossible = cannot_carry(parcel, extensions_);
    std::erase_if(result.left, [&](std::size_t place) {
        const auto refusal =
            impossible ? impossible : cannot_carry(recipients[place].address, extensions_);
        if (refusal) result.outcomes[place] = outcome(*refusal);
        return refusal.has_value();
    });
    std::size_t before = recipients.size() + 1;
    while (!result.left.empty() && result.left.size() < before && bears_more()) {
        before = result.left.size();
        co_await transact(parcel, result);
    }
}

/// One transaction. No message goes out without a 354 (RFC 5321 3.3).
base::Task<void> Client::transact(Parcel parcel, SendResult& result) {
    const auto& recipients = parcel.envelope.recipients;
    Proposal proposal;
    const MailboxOf mailbox = [&](std::size_t place) -> const mail::Mailbox& {
        return recipients[place].address;
    };
    proposal.turn = next_turn(result.left, mailbox);
    std::vector<std::string> lines;
    lines.push_back(mail_command(parcel, extensions_));
    for (const std::size_t place : proposal.turn)
        lines.push_back(rcpt_command(recipients[place], extensions_));
    lines.emplace_back("DATA\r\n");

    const OnVerdict settle = [&](std::size_t place, const Reply& reply, bool is_final) {
        result.outcomes[place] = outcome(reply);
        if (is_final) std::erase(result.left, place);
    };
    const auto settle_all = [&](Places which, const Reply& reply) {
        for (const std::size_t place : which)
            settle(place, reply, true);
    };
    /// Why the others wait.
    const auto say = [&](const Reply& reply) {
        for (const std::size_t place : result.left)
            result.outcomes[place] = outcome(reply);
    };
    const OnVerdict on_rcpt = [&](std::size_t place, const Reply& reply, bool is_final) {
        if (!reply.is_success()) settle(place, reply, is_final);
    };
    result.sent = true;
    const auto conversed = co_await propose(std::move(lines), proposal, on_rcpt);
    if (proposal.no_sender) settle_all(result.left, *proposal.no_sender);
    if (!conversed) {
        say(lost(conversed.error(), "the link in the envelope"));
        co_return;
    }
    const bool ready = proposal.data && proposal.data->code == 354;
    if (proposal.accepted.empty() || !ready) {
        if (proposal.takes_nobody())
            settle_all(result.left, {452, {4, 5, 3}, "The next hop takes no recipients now"});
        if (!proposal.no_sender && proposal.data && !ready) {
            const Reply verdict = as_verdict(*proposal.data);
            // Success is no answer to DATA.
            settle_all(proposal.accepted,
                       verdict.is_success() ? Reply{451, {4, 5, 0}, verdict.text} : verdict);
        }
        // A server that wants data for nobody can't be told otherwise.
        if (ready) alive_ = false;
        co_await reset();
        co_return;
    }

    bool at_the_dot = false;
    const auto body = co_await send_body(parcel, at_the_dot);
    if (!body && queue::is_unreadable(body.error())) {
        // Without the final dot the server has nothing, and drops what it was given.
        alive_ = false;
        cut();
        give_up(result, body.error());
        co_return;
    }
    std::optional<Reply> broken;
    if (body) {
        broken = co_await read_verdicts(proposal.accepted, settle);
        base::crash_point("smtp-client.verdicts-read");
        at_the_dot = broken.has_value();
    } else {
        broken = lost(body.error(), "the link in the message");
        settle_all(proposal.accepted, *broken);
    }
    if (at_the_dot) result.maybe_taken = true;
    if (broken)
        say(*broken);
    else
        resets_ = 0;
}

/// RFC 5321 4.5.2. `at_the_dot`: the piece with the final dot may have left. Errc::storage or
/// Errc::damaged if the content can't be read; the other errors are the link's.
base::Task<Result<void>> Client::send_body(Parcel parcel, bool& at_the_dot) {
    DotStuffer stuffer;
    Pieces pieces(parcel);
    for (;;) {
        if (pieces.has_to_read()) {
            const auto read = co_await pieces.read();
            if (!read) co_return read.error();
        }
        const auto piece = pieces.next();
        if (piece.empty()) break;
        stuffer.feed(piece, wire_->output());
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

/// LMTP: a reply for each recipient that was accepted (RFC 2033 4.2); SMTP: one for all of them.
/// Returns what is said of those whose reply never came: the server may have their mail or not (RFC
/// 1047), so they get it again (RFC 2033 5). A 2yz or 5yz is final (RFC 5321 4.2.5).
base::Task<std::optional<Reply>> Client::read_verdicts(const Places& accepted,
                                                       const OnVerdict& on_verdict) {
    const bool each = target_.protocol == Protocol::lmtp;
    std::optional<Reply> broken;
    std::optional<Reply> last;
    for (const std::size_t place : accepted) {
        if (!broken && (each || !last)) {
            const auto reply = co_await read_reply(settings_.times.data_done);
            if (reply)
                last = as_verdict(*reply);
            else
                broken = lost(reply.error(), "the link behind the final dot");
        }
        on_verdict(place, broken ? *broken : *last, true);
    }
    co_return broken;
}

}  // namespace smtp_bridge
