#include "smtp-bridge/server/server_session.hpp"

#include "base/crash_point.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "smtp-bridge/log.hpp"
#include "smtp-bridge/server/other_protocol.hpp"

#include <algorithm>
#include <array>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

namespace limits = base::limits;
using base::Errc;
using base::Result;
using mail::Reply;
using std::chrono::steady_clock;

/// Replies to a pipelining client that does not read them are sent in pieces of at most this.
constexpr std::size_t kOutputBuffer = 64u << 10;
/// For a last word to a client that may not be listening.
constexpr auto kFarewellTime = std::chrono::seconds(2);

/// 521 as Postfix says it: and the connection is closed.
Reply not_smtp() {
    return {521, {5, 5, 2}, "This is a mail server, and that is no mail protocol"};
}

Reply not_trusted() {
    return {550, {5, 7, 0}, "Not for this client"};
}

/// Of a mail much may be refused that is no error of the session: an address that can't be, and
/// with pipelining (RFC 2920 3.1) all that was sent behind a MAIL that was refused.
bool is_about_mail(std::string_view line) {
    constexpr std::array<std::string_view, 4> kVerbs{"MAIL", "RCPT", "DATA", "BDAT"};
    return std::ranges::any_of(
        kVerbs, [&](std::string_view verb) { return base::istarts_with(line, verb); });
}

bool is_in(const std::vector<Network>& networks, const std::string& client) {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(client, error);
    return !error &&
           std::ranges::any_of(networks, [&](const Network& each) { return each.contains(ip); });
}

/// A Unix socket's client is on this host, too.
std::optional<std::size_t> rate_of(const ListenerSettings& settings, const std::string& client) {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(client, error);
    if (settings.client_rate || error || ip.is_loopback()) return settings.client_rate;
    return limits::kClientRate;
}

}  // namespace

ServerSession::ServerSession(Socket socket, std::string client, const ListenerSettings& settings,
                             const queue::Router& router, queue::Intake& intake)
    : settings_(settings),
      intake_(intake),
      address_(std::move(client)),
      client_(address_),
      trusted_(is_in(settings.trusted, client_)),
      rate_(rate_of(settings, client_)),
      wire_(std::move(socket), limits::kSmtpInput),
      hold_(settings.admission->bytes, wire_.executor()),
      transaction_(settings, router) {}

void ServerSession::stop() {
    wire_.interrupt();
    hold_.interrupt();
}

void ServerSession::send_away() {
    const Reply reply{421, {4, 7, 0}, settings_.hostname + " Too many connections"};
    wire_.dismiss(reply.to_text() + "\r\n");
}

/// With its status (RFC 2034 4).
void ServerSession::say(const Reply& reply) {
    wire_.put(reply.to_text() + "\r\n");
}

/// LMTP answers for each recipient, in their order (RFC 2033 4.2, RFC 2033 4.3); SMTP once.
void ServerSession::say_for_message(const Reply& reply, std::size_t recipients) {
    const std::size_t times = settings_.protocol == Protocol::lmtp ? recipients : 1;
    for (std::size_t i = 0; i < times; ++i)
        say(reply);
}

/// Greets (RFC 5321 3.1), and gives each command its reply, in their order (RFC 2920 3.2).
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

/// Without its CRLF. A line that breaks the rules of lines (RFC 5321 2.3.8, RFC 5321 4.5.3.1.4) is
/// answered here, and skipped.
base::Task<Result<std::string>> ServerSession::next_line() {
    const auto until = steady_clock::now() + settings_.command_time;
    std::optional<std::string> too_long;  // the beginning of such a line
    std::size_t looked_at = 0;
    for (;;) {
        const auto input = wire_.input();
        if (!too_long && !input.empty() && !may_begin_line(input.front())) {
            // A TLS client may wait for an answer without ever ending a line.
            hang_up(input, not_smtp());
            co_return base::fail(Errc::protocol, "no SMTP");
        }
        const auto newline = input.find('\n', looked_at);
        if (newline == input.npos && input.size() >= limits::kCommandLine) {
            if (!too_long) too_long = std::string(input.substr(0, limits::kCommandLine));
            wire_.consume(input.size());
        }
        if (newline != input.npos) {
            const bool bare = newline == 0 || input[newline - 1] != '\r';
            std::string line(input.substr(0, newline - (bare ? 0 : 1)));
            if (!too_long && newline + 1 > limits::kCommandLine) too_long = line;
            wire_.consume(newline + 1);
            if (!too_long && !bare) co_return line;
            const Next next = too_long
                                  ? refuse_line(*too_long, {500, {5, 5, 2}, "Line too long"})
                                  : refuse_line(line, {500, {5, 5, 2}, "A line ends with CR LF"});
            if (next == Next::end) co_return base::fail(Errc::protocol, "too many errors");
            too_long.reset();
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

/// A server that has to hang up says so (RFC 5321 3.8, RFC 5321 4.5.3.2.7).
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
    if (const auto* reply = std::get_if<Reply>(&parsed)) co_return refuse_line(line, *reply);
    const auto& command = std::get<Command>(parsed);
    Next next = Next::go_on;
    if (const auto* chunk = std::get_if<Chunk>(&command)) {
        next = co_await receive_chunk(*chunk);
    } else if (std::holds_alternative<StartTls>(command)) {
        next = co_await start_tls();
    } else if (!std::holds_alternative<Data>(command)) {
        next = answer(command, line);
    } else if (!wire_.is_quiet()) {
        // Nobody who speaks SMTP sends more before he has our answer (RFC 2920 3.1).
        next = hang_up(line, {521, {5, 5, 1}, "Nothing may follow DATA before its answer"});
    } else if (chunks_ || chunk_refusal_) {
        // RFC 3030 2: 503, and nothing but RSET leads on.
        next = refuse(line, {503, {5, 5, 1}, "DATA and BDAT don't mix"});
    } else if (const auto refusal = transaction_.refuse_data()) {
        next = refuse(line, *refusal);
    } else {
        next = co_await receive_data();
    }
    co_return next;
}

/// Only what breaks the protocol (X.5.X) counts as an error: a refused size or address is daily
/// life.
ServerSession::Next ServerSession::refuse(std::string_view line, const Reply& reply) {
    say(reply);
    if (!reply.is_permanent() || reply.status.subject != 5) return Next::go_on;
    if (!std::exchange(bad_input_logged_, true))
        log::bad_input(settings_.name, client_, line, reply);
    const bool counts = reply.code == 500 || !is_about_mail(line);
    if (!counts || ++bad_commands_ < settings_.bad_commands) return Next::go_on;
    say({421, {4, 7, 0}, settings_.hostname + " Too many errors"});
    return Next::end;
}

/// One that is no command. No octet that may be content is ever read as a command.
ServerSession::Next ServerSession::refuse_line(std::string_view line, const Reply& reply) {
    if (announces_content(line)) return hang_up(line, {521, reply.status, reply.text});
    if (reply.code == 500 && is_other_protocol(line)) return hang_up(line, not_smtp());
    return refuse(line, reply);
}

/// The session ends at once, unread whatever follows.
ServerSession::Next ServerSession::hang_up(std::string_view line, const Reply& reply) {
    log::bad_input(settings_.name, client_, line, reply);
    say(reply);
    return Next::end;
}

/// RFC 3207 4. Of what the client said before nothing is kept (RFC 3207 4.2).
base::Task<ServerSession::Next> ServerSession::start_tls() {
    constexpr std::string_view kLine = "STARTTLS";
    if (!settings_.tls) co_return refuse(kLine, {502, {5, 5, 1}, "Command not implemented"});
    if (wire_.is_tls()) co_return refuse(kLine, {503, {5, 5, 1}, "TLS is active already"});
    if (!wire_.input().empty()) {
        // What was sent in the clear must not be taken for what the encrypted client says.
        say({501, {5, 5, 1}, settings_.hostname + " Nothing may follow STARTTLS"});
        co_return Next::end;
    }
    say({220, {2, 0, 0}, "Ready to start TLS"});
    auto done = co_await wire_.flush(settings_.command_time);
    if (done) done = co_await wire_.start_tls(settings_.tls, "", settings_.command_time);
    if (!done) {
        log::session_cut(settings_.name, client_, done.error().text);
        co_return Next::end;
    }
    drop_message();
    transaction_.forget_client();
    transaction_.set_tls();
    co_return Next::go_on;
}

/// Postfix's XCLIENT: the session starts anew, as that client's, with what that one may.
ServerSession::Next ServerSession::impersonate(const XclientAttributes& attributes) {
    const auto address = attributes.find("ADDR");
    // One whose address nobody knows has no more rights for that.
    if (address != attributes.end())
        client_ = address->second.empty() ? std::string("unknown") : address->second;
    if (!settings_.networks.empty() && client_ != "unix" && !is_in(settings_.networks, client_)) {
        say({554, {5, 7, 1}, "Client " + client_ + " is not allowed here"});
        return Next::end;
    }
    trusted_ = is_in(settings_.trusted, client_);
    rate_ = rate_of(settings_, client_);
    drop_message();
    transaction_.forget_client();
    wire_.put(fmt::format("220 {} {} Packetboat\r\n", settings_.hostname,
                          settings_.protocol == Protocol::lmtp ? "LMTP" : "ESMTP"));
    return Next::go_on;
}

std::optional<Reply> ServerSession::refuse_rate() {
    if (!rate_ || settings_.admission->rates.sends(client_, *rate_, steady_clock::now()))
        return std::nullopt;
    return Reply{450, {4, 7, 0}, "Too much mail from " + client_ + " in this minute"};
}

ServerSession::Next ServerSession::answer(const Command& command, std::string_view line) {
    Reply reply{250, {2, 0, 0}, "Ok"};
    if (const auto* hello = std::get_if<Hello>(&command)) {
        reply = transaction_.hello(*hello);
        if (reply.is_success()) {
            drop_message();
            // RFC 5321 3.2: no answer to HELO looks like one to EHLO.
            if (hello->verb == Hello::Verb::helo)
                wire_.put("250 " + settings_.hostname + "\r\n");
            else
                say_extensions();
            return Next::go_on;
        }
    } else if (const auto* from = std::get_if<MailFrom>(&command)) {
        reply = transaction_.mail(*from);
        const auto refusal = reply.is_success() ? refuse_rate() : std::nullopt;
        if (refusal) {
            transaction_.reset();
            reply = *refusal;
        }
        if (reply.is_success()) drop_message();
    } else if (const auto* to = std::get_if<RcptTo>(&command)) {
        reply = chunks_ || chunk_refusal_ ? Reply{503, {5, 5, 1}, "The message has begun"}
                                          : transaction_.rcpt(*to);
    } else if (std::holds_alternative<Reset>(command)) {
        drop_message();
        transaction_.reset();
    } else if (const auto* forward = std::get_if<Forward>(&command)) {
        reply = trusted_ ? transaction_.forward(forward->client) : not_trusted();
    } else if (const auto* other = std::get_if<Impersonate>(&command)) {
        if (trusted_ && !transaction_.is_started()) return impersonate(other->client);
        reply = trusted_ ? Reply{503, {5, 5, 1}, "Not within a mail"} : not_trusted();
    } else if (std::holds_alternative<Verify>(command)) {
        // RFC 5321 3.5.3: 250 would say that the address was verified.
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

/// The reply to EHLO and LHLO (RFC 5321 4.1.1.1): PIPELINING (RFC 2920 3), SIZE (RFC 1870 3),
/// 8BITMIME (RFC 6152 2), SMTPUTF8 (RFC 6531 3.1), DSN (RFC 3461 3), CHUNKING (RFC 3030 2),
/// MT-PRIORITY (RFC 6710 3), LIMITS (RFC 9422), STARTTLS (RFC 3207 2), which is not offered again
/// over TLS (RFC 3207 4.2), REQUIRETLS (RFC 8689 2), ENHANCEDSTATUSCODES (RFC 2034 3). PIPELINING
/// and ENHANCEDSTATUSCODES are a MUST in LMTP (RFC 2033 5).
void ServerSession::say_extensions() {
    std::vector<std::string> words{
        settings_.hostname, "PIPELINING",  fmt::format("SIZE {}", settings_.max_size),
        "8BITMIME",         "SMTPUTF8",    "DSN",
        "CHUNKING",         "MT-PRIORITY", fmt::format("LIMITS RCPTMAX={}", limits::kRecipients)};
    if (settings_.tls && !wire_.is_tls()) words.emplace_back("STARTTLS");
    if (transaction_.offers_requiretls()) words.emplace_back("REQUIRETLS");
    if (trusted_) {
        words.emplace_back("XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE");
        words.emplace_back("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
    }
    for (const auto& word : words)
        wire_.put(fmt::format("250-{}\r\n", word));
    wire_.put("250 ENHANCEDSTATUSCODES\r\n");
}

}  // namespace smtp_bridge
