// Client: one connection to an SMTP or LMTP server, from the greeting on.
//
// Owns the socket; one coroutine at a time, on the event loop. It never throws and has no errors of
// its own: whatever happens becomes an outcome or a reply for each recipient, as the queue wants
// it.
#pragma once

#include "base/limits.hpp"
#include "mail/content.hpp"
#include "queue/ports.hpp"
#include "smtp-bridge/endpoint.hpp"
#include "smtp-bridge/reply_parser.hpp"
#include "smtp-bridge/wire.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

/// RFC 5321 section 4.5.3.2. All of them run anew for each reply or block.
struct ClientTimes {
    std::chrono::milliseconds connect = base::limits::kSmtpConnectTime;
    std::chrono::milliseconds command =
        base::limits::kSmtpCommandTime;  ///< greeting, MAIL, RCPT, DATA
    std::chrono::milliseconds data_block = std::chrono::minutes(3);
    std::chrono::milliseconds data_done = base::limits::kSmtpDataTime;
};

struct ClientSettings {
    std::string hostname;  ///< for EHLO
    ClientTimes times;
    TlsContext tls{};  ///< for targets that want it
};

/// What the server announced.
struct Extensions {
    bool pipelining = false;
    bool eight_bit_mime = false;
    bool smtputf8 = false;
    bool dsn = false;
    std::optional<std::uint64_t> size;  ///< octets; nothing: not announced, or no limit
    bool size_announced = false;
    bool starttls = false;
    bool requiretls = false;  ///< over a verified link: it keeps a mail to TLS (RFC 8689)
    /// It delivers, and nothing goes over a network in the clear: RFC 8689 asks for no more.
    bool private_last_hop = false;
};

/// A message to be sent: `head` in the place of the first bytes of its content, so that a few
/// fields are changed without another copy of what may be large.
struct Parcel {
    const mail::Envelope& envelope;
    std::string_view head;
    const mail::Content& content;
    std::size_t replaced = 0;  ///< bytes of the content that `head` stands for
    /// It may have octets with the high bit. Client::send looks, where it matters.
    bool eight_bit = true;

    std::string_view rest() const { return content.bytes().substr(replaced); }
    std::size_t size() const { return head.size() + rest().size(); }
};

struct SendResult {
    std::vector<queue::Outcome> outcomes;  ///< one for each recipient, in order
    bool sent = false;                     ///< something of the message left, if only its envelope
    bool maybe_taken = false;              ///< the link broke behind the final dot (RFC 1047)
    bool stale = false;  ///< the kept link had died before: nothing was answered, try another
};

struct CheckResult {
    std::vector<mail::Reply> replies;  ///< one for each recipient, in order
    bool stale = false;
};

class Client {
  public:
    Client(Target target, ClientSettings settings);

    /// Connects and says hello; once. A failure is a 4yz with what the remote said.
    base::Task<std::optional<mail::Reply>> open();
    /// One transaction. The parcel has to live until it returns.
    base::Task<SendResult> send(Parcel parcel);
    /// MAIL, RCPT and RSET: would the server take mail for them?
    base::Task<CheckResult> check(mail::ReversePath from, std::vector<mail::Mailbox> recipients);
    /// Says good bye, briefly, and closes.
    base::Task<void> quit();
    /// Closes at once; what is under way ends with a deferral.
    void cut();

    /// No operation goes on beyond this moment; nothing: no bound but the time-outs.
    void bound(std::optional<std::chrono::steady_clock::time_point> until) { until_ = until; }
    /// The link can carry another transaction, as far as is known.
    bool usable() const;
    /// From now on a missing reply may mean that the server hung up while we were idle.
    void mark_kept() { kept_ = true; }
    const std::string& greeting() const { return greeting_; }
    const Extensions& extensions() const { return extensions_; }

  private:
    using OnReply = std::function<bool(std::size_t, const ServerReply&)>;

    base::Task<std::optional<mail::Reply>> say_hello();
    base::Task<std::optional<mail::Reply>> introduce();
    base::Task<std::optional<mail::Reply>> start_tls();
    base::Task<base::Result<ServerReply>> read_reply(std::chrono::milliseconds limit);
    base::Task<base::Result<ServerReply>> command(std::string line);
    base::Task<base::Result<void>> converse(std::vector<std::string> lines, OnReply on_reply);
    base::Task<base::Result<void>> send_body(Parcel parcel, bool& at_the_dot);
    base::Task<std::optional<mail::Reply>> read_verdicts(const std::vector<std::size_t>& accepted,
                                                         SendResult& result);
    base::Task<void> reset();
    std::chrono::milliseconds within(std::chrono::milliseconds limit) const;
    void read_extensions(const ServerReply& reply);
    queue::Outcome outcome(const mail::Reply& reply) const;
    mail::Reply lost(const base::Error& error, std::string_view doing);

    Target target_;
    ClientSettings settings_;
    std::unique_ptr<Wire> wire_;  ///< set once connected
    std::string remote_;          ///< as the server calls itself
    std::string greeting_;
    Extensions extensions_;
    ReplyParser parser_;
    std::optional<std::chrono::steady_clock::time_point> until_;
    bool alive_ = false;
    bool kept_ = false;
    int errors_ = 0;
    int resets_ = 0;
};

/// How the answer to a command counts for a recipient: only 2yz, 4yz and 5yz, and 552 5.5.3 is for
/// now only (RFC 5321 section 4.5.3.1.10).
mail::Reply as_verdict(const ServerReply& reply);

/// For `packetboat check`: connects, says hello, and returns the greeting. Errc::io with the
/// reason.
base::Task<base::Result<std::string>> probe(Target target, ClientSettings settings);

}  // namespace smtp_bridge
