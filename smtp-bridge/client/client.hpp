// Client: one connection to an SMTP or LMTP server, from the greeting on.
//
// Owns the socket; one coroutine at a time, on the event loop. It never throws and has no errors of
// its own: whatever happens becomes an outcome or a reply for each recipient, as the queue wants
// it.
#pragma once

#include "base/limits.hpp"
#include "queue/ports.hpp"
#include "smtp-bridge/client/reply_parser.hpp"
#include "smtp-bridge/wire/endpoint.hpp"
#include "smtp-bridge/wire/wire.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace smtp_bridge {

/// RFC 5321 4.5.3.2; a block, RFC 5321 4.5.3.2.5. All of them run anew for each reply or block.
struct ClientTimes {
    std::chrono::milliseconds connect = base::limits::kSmtpConnectTime;
    std::chrono::milliseconds command =
        base::limits::kSmtpCommandTime;  ///< greeting, MAIL, RCPT, DATA
    std::chrono::milliseconds data_block = std::chrono::minutes(3);
    std::chrono::milliseconds data_done = base::limits::kSmtpDataTime;
    /// While another server could take the mail, in place of what is longer of the first two:
    /// nothing is won by it but minutes, and a check has 30 seconds for all of them.
    std::chrono::milliseconds patience = std::chrono::seconds(10);
    /// How long a failure to reach it speaks for the next attempt, too.
    std::chrono::milliseconds pause = std::chrono::seconds(5);
};

struct ClientSettings {
    std::string hostname;  ///< for EHLO
    ClientTimes times;
    TlsContext tls{};  ///< for targets that want it
};

/// What the server announced in answer to EHLO or LHLO (RFC 5321 4.1.1.1).
struct Extensions {
    bool pipelining = false;
    bool eight_bit_mime = false;
    bool smtputf8 = false;
    bool dsn = false;
    std::optional<std::uint64_t> size;  ///< octets; nothing: not announced, or no limit
    bool size_announced = false;
    bool starttls = false;
    bool requiretls = false;  ///< over a verified link: it keeps a mail to TLS (RFC 8689 4.2.1)
    /// It delivers, and nothing goes over a network in the clear: RFC 8689 4.4 asks for no more.
    bool private_last_hop = false;
    /// LIMITS of RFC 9422; nothing: it names none.
    std::optional<std::size_t> mail_max{};         ///< transactions of a session
    std::optional<std::size_t> rcpt_max{};         ///< recipients of a transaction
    std::optional<std::size_t> rcpt_domain_max{};  ///< their domains
};

/// A message to be sent: `head` in the place of the first bytes of its content, so that a few
/// fields are changed without another copy of what may be large.
struct Parcel {
    const mail::Envelope& envelope;
    std::string_view head;
    const queue::Content& content;
    std::size_t replaced = 0;  ///< bytes of the content that `head` stands for
    /// It may have octets with the high bit. Client::send looks, where it matters.
    bool eight_bit = true;
    /// The same of its header.
    bool eight_bit_header = true;

    std::size_t size() const { return head.size() + content.size() - replaced; }
};

/// What has become of a message: it may take several transactions, and several links.
struct SendResult {
    explicit SendResult(std::size_t recipients);

    std::vector<queue::Outcome> outcomes;  ///< one for each recipient, in order
    /// Those, in order, that the server has not had its say on, and for whom nothing was sent that
    /// it may have taken: another transaction may follow at once. Their outcome is why not yet.
    std::vector<std::size_t> left;
    bool sent = false;         ///< something of the message left, if only its envelope
    bool maybe_taken = false;  ///< a link broke behind the final dot (RFC 1047)
};

/// What a server would do with mail for some recipients; as above.
struct CheckResult {
    explicit CheckResult(std::size_t recipients);

    std::vector<mail::Reply> replies;  ///< one for each recipient, in order
    std::vector<std::size_t> left;     ///< those whose reply is only why there is none yet
    /// Those of whom the server has said nothing: it wants no mail of the sender.
    std::vector<std::size_t> for_sender;
};

class Client {
  public:
    Client(Target target, ClientSettings settings);

    /// Connects and says hello; once. A failure is a 4yz with what the remote said.
    base::Task<std::optional<mail::Reply>> open();
    /// As many transactions as those who are `left` take, and this link bears. The parcel and the
    /// result have to live until it returns.
    base::Task<void> send(Parcel parcel, SendResult& result);
    /// MAIL, RCPT and RSET: would the server take mail for those who are `left`? The recipients
    /// and the result have to live until it returns.
    base::Task<void> check(mail::ReversePath from, const std::vector<mail::Mailbox>& recipients,
                           CheckResult& result);
    /// An empty transaction: does somebody answer? Nothing if so, whatever the answer; else a 4yz.
    base::Task<std::optional<mail::Reply>> prove();
    /// Says good bye, briefly, and closes.
    base::Task<void> quit();
    /// Closes at once; what is under way ends with a deferral.
    void cut();

    /// No operation goes on beyond this moment; nothing: no bound but the time-outs. `impatient`:
    /// no command is waited for longer than ClientTimes::patience.
    void bound(std::optional<std::chrono::steady_clock::time_point> until, bool impatient);
    /// open() has succeeded, whatever came then.
    bool was_open() const { return was_open_; }
    /// The link can carry another transaction, as far as is known.
    bool usable() const;
    /// From now on a missing reply may mean that the server hung up while we were idle.
    void mark_kept();
    /// It did: nothing was answered since then, so try another.
    bool is_stale() const { return kept_ && !alive_ && !answered_; }
    /// Set if we were impatient, and it did not answer a command.
    const std::optional<mail::Reply>& silence() const { return silence_; }
    const std::string& greeting() const { return greeting_; }
    const Extensions& extensions() const { return extensions_; }

  private:
    using OnReply = std::function<bool(std::size_t, const ServerReply&)>;
    using Places = std::vector<std::size_t>;  ///< of recipients

    /// MAIL and RCPT of one transaction, and what came of them.
    struct Proposal {
        Places turn;               ///< the recipients
        Places accepted;           ///< of these
        std::size_t answered = 0;  ///< so many of the first of `turn`
        std::size_t too_many = 0;  ///< of the answers
        bool full = false;         ///< it takes no further recipient in this transaction
        std::optional<mail::Reply> no_sender;  ///< MAIL was refused
        std::optional<ServerReply> data;       ///< the answer to DATA
        /// "Too many" from the first one on: it takes nobody for now.
        bool takes_nobody() const { return accepted.empty() && too_many == answered && full; }
    };
    /// A recipient's place, what is said of it, and whether that is the server's word on it.
    using OnVerdict = std::function<void(std::size_t, const mail::Reply&, bool)>;
    using MailboxOf = std::function<const mail::Mailbox&(std::size_t)>;

    base::Task<std::optional<mail::Reply>> say_hello();
    base::Task<std::optional<mail::Reply>> introduce();
    base::Task<std::optional<mail::Reply>> start_tls();
    base::Task<base::Result<ServerReply>> read_reply(std::chrono::milliseconds limit);
    base::Task<base::Result<ServerReply>> await_answer();
    base::Task<base::Result<ServerReply>> command(std::string line);
    base::Task<base::Result<void>> converse(std::vector<std::string> lines, OnReply on_reply);
    base::Task<base::Result<void>> propose(std::vector<std::string> lines, Proposal& proposal,
                                           const OnVerdict& on_verdict);
    Places next_turn(const Places& left, const MailboxOf& mailbox) const;
    std::size_t group() const;
    bool bears_more() const;
    base::Task<base::Result<void>> look_at(Parcel& parcel) const;
    base::Task<void> transact(Parcel parcel, SendResult& result);
    base::Task<void> ask(mail::ReversePath from, const std::vector<mail::Mailbox>& recipients,
                         CheckResult& result);
    base::Task<base::Result<void>> send_body(Parcel parcel, bool& at_the_dot);
    base::Task<std::optional<mail::Reply>> read_verdicts(const Places& accepted,
                                                         const OnVerdict& on_verdict);
    base::Task<void> reset();
    std::chrono::milliseconds within(std::chrono::milliseconds limit) const;
    void read_extensions(const ServerReply& reply);
    void read_limits(const std::vector<std::string_view>& words);
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
    std::optional<mail::Reply> silence_;
    std::optional<std::size_t> room_;  ///< recipients of a transaction, as it turned out
    bool impatient_ = false;
    bool was_open_ = false;
    bool alive_ = false;
    bool kept_ = false;
    bool answered_ = false;  ///< since it was kept
    int errors_ = 0;
    int resets_ = 0;
    std::size_t mails_ = 0;   ///< MAIL commands
    std::size_t streak_ = 0;  ///< replies since the last refusal
};

/// For `packetboat check`: connects, says hello, and returns the greeting. Errc::io with the
/// reason.
base::Task<base::Result<std::string>> probe(Target target, ClientSettings settings);

}  // namespace smtp_bridge
