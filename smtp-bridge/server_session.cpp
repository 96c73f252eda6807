#include "smtp-bridge/server_session.hpp"

#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "smtp-bridge/log.hpp"

#include <algorithm>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

namespace limits = base::limits;
using base::Errc;
using base::Result;
using mail::Reply;
using std::chrono::steady_clock;

constexpr std::size_t kInputBuffer = 64u << 10;
/// Replies to a pipelining client that does not read them are sent in pieces of at most this.
constexpr std::size_t kOutputBuffer = 64u << 10;
/// For a last word to a client that may not be listening.
constexpr auto kFarewellTime = std::chrono::seconds(2);
/// The most of a message that is in memory: it is looked at after each buffer.
constexpr std::size_t kInMemory = limits::kInlineContent + kInputBuffer;
/// What is read, and dropped, of a message that is refused anyway, beyond its allowed size.
constexpr std::size_t kDropped = 64u << 20;

}  // namespace

ServerSession::ServerSession(Socket socket, std::string client, const ListenerSettings& settings,
                             const queue::Router& router, queue::Intake& intake)
    : settings_(settings),
      intake_(intake),
      client_(std::move(client)),
      wire_(std::move(socket), kInputBuffer),
      hold_(settings.admission->bytes, wire_.executor()),
      transaction_(settings, router) {}

void ServerSession::stop() {
    wire_.interrupt();
    hold_.interrupt();
}

void ServerSession::say(const Reply& reply) {
    wire_.put(reply.to_text() + "\r\n");
}

/// LMTP answers for each recipient, in their order; SMTP once.
void ServerSession::say_for_message(const Reply& reply, std::size_t recipients) {
    const std::size_t times = settings_.protocol == Protocol::lmtp ? recipients : 1;
    for (std::size_t i = 0; i < times; ++i)
        say(reply);
}

base::Task<void> ServerSession::run() {
    wire_.put(fmt::format("220 {} {} Packetboat\r\n", settings_.hostname,
                          settings_.protocol == Protocol::lmtp ? "LMTP" : "ESMTP"));
    for (;;) {
        auto line = co_await next_line();
        if (!line) {
            co_await farewell(line.error());
            break;
        }
        const Next next = co_await handle(std::move(*line));
        if (next == Next::end) break;
    }
    co_await wire_.flush(kFarewellTime);
    wire_.close();
}

/// Without its CRLF. A line that breaks the rules of lines is answered here, and skipped.
base::Task<Result<std::string>> ServerSession::next_line() {
    const auto until = steady_clock::now() + settings_.command_time;
    bool too_long = false;
    std::size_t looked_at = 0;
    for (;;) {
        const auto input = wire_.input();
        const auto newline = input.find('\n', looked_at);
        if (newline == input.npos && input.size() >= limits::kCommandLine) {
            too_long = true;
            wire_.consume(input.size());
        }
        if (newline != input.npos) {
            too_long = too_long || newline + 1 > limits::kCommandLine;
            const bool bare = newline == 0 || input[newline - 1] != '\r';
            std::string line(too_long ? std::string_view()
                                      : input.substr(0, newline - (bare ? 0 : 1)));
            wire_.consume(newline + 1);
            if (!too_long && !bare) co_return line;
            const Next next = refuse(
                line, {500, {5, 5, 2}, too_long ? "Line too long" : "A line ends with CR LF"});
            if (next == Next::end) co_return base::fail(Errc::protocol, "too many errors");
            too_long = false;
            looked_at = 0;
            continue;
        }
        looked_at = wire_.input().size();
        const auto sent = co_await wire_.flush(settings_.command_time);
        base::crash_point("smtp-server.replies-written");
        if (!sent) co_return sent.error();
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
        const auto filled = co_await wire_.fill(std::max(left, std::chrono::milliseconds(0)));
        if (!filled) co_return filled.error();
    }
}

base::Task<void> ServerSession::farewell(base::Error why) {
    if (why.code == Errc::timeout) {
        say({421, {4, 4, 2}, settings_.hostname + " Timed out waiting for the client"});
    } else if (wire_.interrupted()) {
        say({421, {4, 3, 2}, settings_.hostname + " Shutting down"});
    }
    if (why.code == Errc::timeout || !transaction_.envelope().recipients.empty())
        log::session_cut(settings_.name, client_, why.text);
    co_return;
}

base::Task<ServerSession::Next> ServerSession::handle(std::string line) {
    // A client that sends without ever reading is made to wait.
    if (wire_.waiting() > kOutputBuffer) {
        const auto sent = co_await wire_.flush(settings_.command_time);
        if (!sent) co_return Next::end;
    }
    const auto parsed = parse_command(line);
    if (const auto* reply = std::get_if<Reply>(&parsed)) co_return refuse(line, *reply);
    const auto& command = std::get<Command>(parsed);
    if (!std::holds_alternative<Data>(command)) co_return answer(command, line);
    if (const auto refusal = transaction_.refuse_data()) co_return refuse(line, *refusal);
    const Next next = co_await receive_data();
    co_return next;
}

/// Only what breaks the protocol (X.5.X) counts as an error: a refused size or address is daily
/// life.
ServerSession::Next ServerSession::refuse(std::string_view line, const Reply& reply) {
    say(reply);
    if (!reply.is_permanent() || reply.status.subject != 5) return Next::go_on;
    if (!std::exchange(bad_input_logged_, true))
        log::bad_input(settings_.name, client_, line, reply);
    if (++bad_commands_ < settings_.bad_commands) return Next::go_on;
    say({421, {4, 7, 0}, settings_.hostname + " Too many errors"});
    return Next::end;
}

ServerSession::Next ServerSession::answer(const Command& command, std::string_view line) {
    Reply reply{250, {2, 0, 0}, "Ok"};
    if (const auto* hello = std::get_if<Hello>(&command)) {
        reply = transaction_.hello(*hello);
        if (reply.is_success()) {
            if (hello->verb == Hello::Verb::helo)
                wire_.put("250 " + settings_.hostname + "\r\n");
            else
                say_extensions();
            return Next::go_on;
        }
    } else if (const auto* from = std::get_if<MailFrom>(&command)) {
        reply = transaction_.mail(*from);
    } else if (const auto* to = std::get_if<RcptTo>(&command)) {
        reply = transaction_.rcpt(*to);
    } else if (std::holds_alternative<Reset>(command)) {
        transaction_.reset();
    } else if (std::holds_alternative<Verify>(command)) {
        reply = {252, {2, 1, 5}, "Try RCPT"};
    } else if (std::holds_alternative<Help>(command)) {
        reply = {214, {2, 0, 0}, "See RFC 5321 and RFC 2033"};
    } else if (std::holds_alternative<Quit>(command)) {
        say({221, {2, 0, 0}, settings_.hostname + " Bye"});
        return Next::end;
    }
    if (!reply.is_success()) return refuse(line, reply);
    say(reply);
    return Next::go_on;
}

void ServerSession::say_extensions() {
    wire_.put(
        fmt::format("250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                    "250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n",
                    settings_.hostname, settings_.max_size));
}

base::Task<ServerSession::Next> ServerSession::receive_data() {
    wire_.put("354 End data with <CR><LF>.<CR><LF>\r\n");
    const std::size_t recipients = transaction_.envelope().recipients.size();
    IncomingMessage message(intake_, settings_.max_size);
    const auto read = co_await read_data(message);
    if (!read) {
        hold_.release();
        if (read.error().code == Errc::busy) {
            say({421, {4, 3, 1}, settings_.hostname + " " + read.error().text});
        } else if (read.error().code == Errc::limit) {
            say_for_message({552, {5, 3, 4}, read.error().text}, recipients);
        } else {
            co_await farewell(read.error());
        }
        co_return Next::end;
    }
    auto refusal = Transaction::refuse(message.reader().fault());
    mail::Content content;
    if (!refusal) {
        auto received = co_await message.content();
        if (received) {
            content = std::move(*received);
            refusal = Transaction::refuse(content);
        } else {
            refusal = not_accepted(received.error());
        }
    }
    if (refusal) {
        log::message_refused(settings_.name, client_, transaction_.envelope(), *refusal);
        say_for_message(*refusal, recipients);
        transaction_.reset();
        hold_.release();
        co_return Next::go_on;
    }
    const bool eight_bit = message.reader().eight_bit();
    auto arrival = transaction_.arrival(std::move(content), eight_bit, client_);
    arrival.file = message.file();
    const mail::Envelope envelope = arrival.envelope;
    // Never cancelled and without a time limit: what is being committed gets its answer.
    base::crash_point("smtp-server.before-store");
    const auto receipt = co_await intake_.accept(std::move(arrival));
    base::crash_point("smtp-server.before-reply");
    hold_.release();
    if (receipt) {
        say_for_message(accepted(*receipt), recipients);
    } else {
        const Reply reply = not_accepted(receipt.error());
        log::message_refused(settings_.name, client_, envelope, reply);
        say_for_message(reply, recipients);
    }
    co_return Next::go_on;
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

}  // namespace smtp_bridge
