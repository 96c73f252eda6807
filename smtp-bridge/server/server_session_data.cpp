// ServerSession: the message behind DATA or BDAT, from its first octet to its reply.
#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "smtp-bridge/log.hpp"
#include "smtp-bridge/server/server_session.hpp"

#include <algorithm>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

namespace limits = base::limits;
using base::Errc;
using base::Result;
using mail::Reply;

/// The most of a message that is in memory: it is looked at after each buffer.
constexpr std::size_t kInMemory = limits::kInlineContent + limits::kSmtpInput;
/// What is read, and dropped, of a message that is refused anyway, beyond its allowed size.
constexpr std::size_t kDropped = 64u << 20;

}  // namespace

/// RFC 5321 4.1.1.4.
base::Task<ServerSession::Next> ServerSession::receive_data() {
    wire_.put("354 End data with <CR><LF>.<CR><LF>\r\n");
    IncomingMessage message(intake_, settings_.max_size);
    const auto read = co_await read_data(message);
    if (!read) {
        const Next next =
            co_await unreadable(read.error(), transaction_.envelope().recipients.size());
        co_return next;
    }
    co_await store(message);
    co_return Next::go_on;
}

/// The end of a session in the middle of a message; LMTP may owe several answers.
base::Task<ServerSession::Next> ServerSession::unreadable(base::Error why, std::size_t answers) {
    hold_.release();
    if (why.code == Errc::busy) {
        say({421, {4, 3, 1}, settings_.hostname + " " + why.text});
    } else if (why.code == Errc::limit) {
        say_for_message({552, {5, 3, 4}, why.text}, answers);
    } else {
        co_await farewell(why);
    }
    co_return Next::end;
}

/// A message that was read to its end: into the queue, or refused; and the answer to it. With its
/// 250 it is ours to deliver, or to report on (RFC 5321 6.1).
base::Task<void> ServerSession::store(IncomingMessage& message) {
    const std::size_t recipients = transaction_.envelope().recipients.size();
    auto refusal = Transaction::refuse(message.reader().fault());
    queue::Content content;
    mail::Content beginning;
    if (!refusal) {
        auto received = co_await message.content();
        if (received)
            content = std::move(*received);
        else
            refusal = not_accepted(received.error());
    }
    if (!refusal) {
        auto read = co_await content.read(0, kBeginning);
        if (read)
            beginning = std::move(*read);
        else
            refusal = not_accepted(read.error());
    }
    mail::HeaderSummary header;
    if (!refusal) {
        header = mail::summarize_header(beginning.bytes());
        refusal = transaction_.refuse(header, beginning.bytes());
    }
    if (!refusal) refusal = transaction_.refuse_promised(header, message.reader());
    if (refusal) {
        log::message_refused(settings_.name, client_, transaction_.envelope(), *refusal);
        say_for_message(*refusal, recipients);
        transaction_.reset();
        hold_.release();
        co_return;
    }
    auto ticket = transaction_.ticket();
    auto arrival =
        transaction_.arrival(std::move(content), std::move(header), message.reader(), client_);
    arrival.file = message.file();
    if (ticket && ticket->is_held()) arrival.held = queue::kSenderHeld;
    const mail::Envelope envelope = arrival.envelope;
    // Never cancelled and without a time limit: what is being committed gets its answer.
    base::crash_point("smtp-server.before-store");
    const auto receipt = co_await intake_.accept(std::move(arrival));
    base::crash_point("smtp-server.before-reply");
    hold_.release();
    if (receipt) {
        if (ticket) ticket->sent();
        say_for_message(accepted(*receipt), recipients);
    } else {
        const Reply reply = not_accepted(receipt.error());
        log::message_refused(settings_.name, client_, envelope, reply);
        say_for_message(reply, recipients);
    }
}

/// Reads to the end of data. Errc::limit if the client goes on far beyond what is allowed.
base::Task<Result<void>> ServerSession::read_data(IncomingMessage& message) {
    const auto room = co_await hold_.take(kInMemory, settings_.command_time);
    if (!room) co_return room.error();
    message.reserve(std::min<std::size_t>(kInMemory, transaction_.announced_size().value_or(0)));
    for (;;) {
        wire_.consume(message.feed(wire_.input()));
        if (message.is_full()) co_await message.spill();
        if (message.reader().done()) co_return Result<void>();
        if (message.reader().size() > settings_.max_size + kDropped)
            co_return base::fail(Errc::limit, "Message too large");
        const auto sent = co_await wire_.flush(settings_.command_time);
        if (!sent) co_return sent.error();
        const auto filled = co_await wire_.fill(settings_.command_time);
        if (!filled) co_return filled.error();
    }
}

/// RFC 3030 2. The octets follow their command whatever its answer is, so they are always read;
/// once a part of a message was refused, so is the rest of it, with the same words.
base::Task<ServerSession::Next> ServerSession::receive_chunk(Chunk chunk) {
    const std::size_t recipients = transaction_.envelope().recipients.size();
    const std::size_t answers = chunk.last ? std::max<std::size_t>(recipients, 1) : 1;
    if (!chunk_refusal_) chunk_refusal_ = transaction_.refuse_data();
    if (!chunk_refusal_ && !chunks_) {
        const auto room = co_await hold_.take(kInMemory, settings_.command_time);
        if (!room) {
            const Next next = co_await unreadable(room.error(), answers);
            co_return next;
        }
        chunks_ = std::make_unique<IncomingMessage>(intake_, settings_.max_size,
                                                    DataReader::Framing::counted);
    }
    const auto read = co_await read_chunk(chunk.size);
    if (!read) {
        const Next next = co_await unreadable(read.error(), answers);
        co_return next;
    }
    if (chunks_ && chunk.last) {
        chunks_->finish();
        const auto message = std::move(chunks_);
        co_await store(*message);
        co_return Next::go_on;
    }
    if (chunks_ && !chunk_refusal_) chunk_refusal_ = Transaction::refuse(chunks_->reader().fault());
    if (!chunk_refusal_) {
        say({250, {2, 0, 0}, fmt::format("{} octets received", chunk.size)});
        co_return Next::go_on;
    }
    if (std::exchange(chunks_, nullptr))
        log::message_refused(settings_.name, client_, transaction_.envelope(), *chunk_refusal_);
    hold_.release();
    const Reply refusal = *chunk_refusal_;
    if (!chunk.last) co_return refuse("BDAT", refusal);
    say_for_message(refusal, answers);
    drop_message();
    transaction_.reset();
    co_return Next::go_on;
}

/// Errc::limit for far more than is allowed.
base::Task<Result<void>> ServerSession::read_chunk(std::uint64_t size) {
    const std::uint64_t before = chunks_ ? chunks_->reader().size() : 0;
    const std::uint64_t most = settings_.max_size + kDropped;
    if (size > most || before > most - size) co_return base::fail(Errc::limit, "Message too large");
    for (;;) {
        const auto input = wire_.input().substr(0, size);
        if (chunks_) chunks_->feed(input);
        size -= input.size();
        wire_.consume(input.size());
        if (chunks_ && chunks_->is_full()) co_await chunks_->spill();
        if (size == 0) co_return Result<void>();
        const auto sent = co_await wire_.flush(settings_.command_time);
        if (!sent) co_return sent.error();
        const auto filled = co_await wire_.fill(settings_.command_time);
        if (!filled) co_return filled.error();
    }
}

/// What BDAT has brought so far is forgotten.
void ServerSession::drop_message() {
    chunks_.reset();
    chunk_refusal_.reset();
    hold_.release();
}

}  // namespace smtp_bridge
