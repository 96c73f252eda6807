#include "smtp-bridge/client/client.hpp"

#include "base/text.hpp"
#include "smtp-bridge/client/verdict.hpp"

#include <algorithm>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace smtp_bridge {
namespace {

using base::Errc;
using base::Result;
using mail::Reply;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kInputBuffer = 16u << 10;
constexpr auto kQuitTime = milliseconds(2000);
/// For `packetboat check`, at which a person looks.
constexpr auto kProbeTime = milliseconds(20'000);
/// Servers slow down for, and then hang up on, clients whose commands they refuse too often or that
/// send commands without a mail (Postfix: 10 errors, 100 commands); a new link is cheaper.
constexpr int kErrors = 5;
constexpr int kResets = 30;
/// RFC 9422 4: six digits at most.
constexpr std::uint64_t kMostLimit = 999'999;

}  // namespace

Client::Client(Target target, ClientSettings settings)
    : target_(std::move(target)), settings_(std::move(settings)), remote_(target_.to_text()) {}

void Client::bound(std::optional<steady_clock::time_point> until, bool impatient) {
    until_ = until;
    impatient_ = impatient;
}

void Client::mark_kept() {
    kept_ = true;
    answered_ = false;
}

bool Client::bears_more() const {
    return alive_ && errors_ < kErrors && resets_ < kResets &&
           (!extensions_.mail_max || mails_ < *extensions_.mail_max);
}

bool Client::usable() const {
    return bears_more() && wire_->is_quiet();
}

void Client::cut() {
    if (wire_) wire_->close();
}

milliseconds Client::within(milliseconds limit) const {
    if (!until_) return limit;
    // Rounded up: whose time was up a moment before it is would be taken for the server's silence.
    const auto left = std::chrono::ceil<milliseconds>(*until_ - steady_clock::now());
    return std::clamp(left, milliseconds(0), limit);
}

Reply Client::lost(const base::Error& error, std::string_view doing) {
    alive_ = false;
    const auto text = fmt::format("{}: lost {}: {}", target_.to_text(), doing, error.text);
    return {451, {4, 4, 2}, base::printable(text, base::limits::kStatusText)};
}

base::Task<Result<ServerReply>> Client::read_reply(milliseconds limit) {
    const auto until = steady_clock::now() + limit;
    for (;;) {
        const auto input = wire_->input();
        const auto used = parser_.feed(input);
        if (!used) {
            alive_ = false;
            co_return used.error();
        }
        wire_->consume(*used);
        if (parser_.done()) break;
        const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
        const auto filled = co_await wire_->fill(within(std::max(left, milliseconds(0))));
        if (!filled) {
            alive_ = false;
            co_return filled.error();
        }
    }
    auto reply = parser_.take();
    if (reply.code == 421) alive_ = false;  // RFC 5321 3.8
    if (reply.code != 421) answered_ = true;
    if (reply.code >= 400) ++errors_;
    streak_ = reply.code >= 400 ? 0 : streak_ + 1;
    co_return reply;
}

/// The reply to a command.
base::Task<Result<ServerReply>> Client::await_answer() {
    const auto patience = settings_.times.patience;
    auto limit = settings_.times.command;
    if (impatient_) limit = std::min(limit, patience);
    // That our caller's time was up says nothing about the server.
    const bool whole = within(limit) == limit;
    auto reply = co_await read_reply(limit);
    if (!reply && reply.error().code == Errc::timeout && impatient_ && whole)
        silence_ =
            Reply{451,
                  {4, 4, 2},
                  fmt::format("{}: no answer within {} s", target_.to_text(),
                              std::chrono::duration_cast<std::chrono::seconds>(limit).count())};
    co_return reply;
}

base::Task<Result<ServerReply>> Client::command(std::string line) {
    wire_->put(line);
    const auto sent = co_await wire_->flush(within(settings_.times.command));
    if (!sent) co_return sent.error();
    auto reply = co_await await_answer();
    co_return reply;
}

/// Sends commands, in groups if the server can (RFC 2920 3.1), and hands on each reply with its
/// number. When `on_reply` says false, no further group is sent.
base::Task<Result<void>> Client::converse(std::vector<std::string> lines, OnReply on_reply) {
    bool go_on = true;
    for (std::size_t sent = 0; sent < lines.size() && go_on;) {
        const std::size_t end = std::min(sent + group(), lines.size());
        for (std::size_t i = sent; i < end; ++i)
            wire_->put(lines[i]);
        const auto flushed = co_await wire_->flush(within(settings_.times.command));
        // A server that hangs up has often said why before.
        if (!flushed && flushed.error().code == Errc::timeout) co_return flushed.error();
        for (; sent < end; ++sent) {
            const auto reply = co_await await_answer();
            if (!reply) co_return reply.error();
            if (!alive_)
                co_return base::fail(Errc::closed, "the server closes the connection: " +
                                                       reply->to_mail().to_text());
            if (!on_reply(sent, *reply)) go_on = false;
        }
    }
    co_return Result<void>();
}

base::Task<std::optional<Reply>> Client::open() {
    auto socket = co_await connect(target_.endpoint, within(settings_.times.connect));
    if (!socket)
        co_return Reply{
            451, {4, 4, 1}, base::printable(socket.error().text, base::limits::kStatusText)};
    wire_ = std::make_unique<Wire>(std::move(*socket), kInputBuffer);
    alive_ = true;
    auto trouble = co_await say_hello();
    if (trouble) alive_ = false;
    was_open_ = !trouble;
    errors_ = 0;
    streak_ = 0;
    co_return trouble;
}

base::Task<std::optional<Reply>> Client::say_hello() {
    const auto greeting = co_await read_reply(settings_.times.command);
    if (!greeting) co_return lost(greeting.error(), "the link before the greeting");
    if (!greeting->is(2)) co_return as_deferral(greeting->to_mail());
    greeting_ = base::printable(greeting->lines.front(), base::limits::kStatusText);
    auto trouble = co_await introduce();
    if (trouble || !target_.tls) co_return trouble;
    trouble = co_await start_tls();
    if (trouble) co_return trouble;
    trouble = co_await introduce();
    co_return trouble;
}

/// RFC 3207 4, and nothing goes out if it can't be had: all mail waits (RFC 3207 6).
base::Task<std::optional<Reply>> Client::start_tls() {
    const auto no_tls = [&](std::string_view why) {
        const auto text = fmt::format("{}: {}", target_.to_text(), why);
        return Reply{451, {4, 7, 5}, base::printable(text, base::limits::kStatusText)};
    };
    if (!extensions_.starttls) co_return no_tls("STARTTLS is not offered");
    if (!settings_.tls) co_return no_tls("no certificates to verify the server with");
    const auto reply = co_await command("STARTTLS\r\n");
    if (!reply) co_return lost(reply.error(), "the link at STARTTLS");
    if (!reply->is(2)) co_return as_deferral(reply->to_mail());
    const auto started = co_await wire_->start_tls(settings_.tls, target_.endpoint.host(),
                                                   within(settings_.times.command));
    if (!started) co_return no_tls(started.error().text);
    extensions_ = {};  // RFC 3207 4.2
    co_return std::nullopt;
}

/// Hello, and what the server can. HELO is for one that knows no EHLO (RFC 5321 2.2.1), LHLO for
/// LMTP (RFC 2033 4.1).
base::Task<std::optional<Reply>> Client::introduce() {
    const bool lmtp = target_.protocol == Protocol::lmtp;
    std::string line = fmt::format("{} {}\r\n", lmtp ? "LHLO" : "EHLO", settings_.hostname);
    auto hello = co_await command(line);
    if (!hello) co_return lost(hello.error(), "the link at hello");
    if (hello->is(2)) {
        read_extensions(*hello);
    } else if (hello->is(5) && !lmtp && alive_) {
        line = fmt::format("HELO {}\r\n", settings_.hostname);
        hello = co_await command(line);
        if (!hello) co_return lost(hello.error(), "the link at hello");
    }
    if (!hello->is(2)) co_return as_deferral(hello->to_mail());
    const auto words = base::split(hello->lines.front());
    if (!words.empty()) remote_ = base::printable(words.front(), base::limits::kDomain);
    co_return std::nullopt;
}

/// Keywords in whatever case (RFC 5321 4.1.1.1). REQUIRETLS counts over TLS only (RFC 8689 4.2.1),
/// and a SIZE of 0 is no limit (RFC 1870 3).
void Client::read_extensions(const ServerReply& reply) {
    extensions_.private_last_hop = target_.protocol == Protocol::lmtp && target_.is_private();
    for (std::size_t i = 1; i < reply.lines.size(); ++i) {
        const auto words = base::split(reply.lines[i]);
        if (words.empty()) continue;
        if (base::iequals(words[0], "PIPELINING")) extensions_.pipelining = true;
        if (base::iequals(words[0], "8BITMIME")) extensions_.eight_bit_mime = true;
        if (base::iequals(words[0], "SMTPUTF8")) extensions_.smtputf8 = true;
        if (base::iequals(words[0], "DSN")) extensions_.dsn = true;
        if (base::iequals(words[0], "STARTTLS")) extensions_.starttls = true;
        if (base::iequals(words[0], "REQUIRETLS") && wire_->is_tls()) extensions_.requiretls = true;
        if (base::iequals(words[0], "LIMITS")) read_limits(words);
        if (!base::iequals(words[0], "SIZE")) continue;
        extensions_.size_announced = true;
        if (words.size() < 2) continue;
        const auto size = base::parse_number(words[1]);
        if (size && *size > 0) extensions_.size = *size;
    }
}

/// LIMITS (RFC 9422): NAME=VALUE, of which we know three.
void Client::read_limits(const std::vector<std::string_view>& words) {
    for (const auto word : words) {
        const auto equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        const auto value = base::parse_number(word.substr(equals + 1), kMostLimit);
        if (!value || *value == 0) continue;
        const auto name = word.substr(0, equals);
        if (base::iequals(name, "MAILMAX")) extensions_.mail_max = *value;
        if (base::iequals(name, "RCPTMAX")) extensions_.rcpt_max = *value;
        if (base::iequals(name, "RCPTDOMAINMAX")) extensions_.rcpt_domain_max = *value;
    }
}

/// After a transaction that did not come to its end (RFC 5321 4.1.1.5).
base::Task<void> Client::reset() {
    if (!alive_) co_return;
    ++resets_;
    const auto reply = co_await command("RSET\r\n");
    if (!reply || !reply->is(2)) alive_ = false;
}

/// RFC 5321 4.1.1.10: not without QUIT, and its answer if there is one soon.
base::Task<void> Client::quit() {
    if (!std::exchange(alive_, false)) {
        cut();
        co_return;
    }
    wire_->put("QUIT\r\n");
    const auto sent = co_await wire_->flush(kQuitTime);
    if (sent) co_await read_reply(kQuitTime);
    wire_->close();
}

base::Task<Result<std::string>> probe(Target target, ClientSettings settings) {
    const std::string name = target.to_text();
    Client client(std::move(target), std::move(settings));
    client.bound(steady_clock::now() + kProbeTime, false);
    const auto trouble = co_await client.open();
    if (trouble) co_return base::fail(Errc::io, fmt::format("{}: {}", name, trouble->text));
    co_await client.quit();
    co_return client.greeting();
}

}  // namespace smtp_bridge
