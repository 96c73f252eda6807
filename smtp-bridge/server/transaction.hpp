// Transaction: the state of one SMTP or LMTP session between HELO and the end of data, without I/O.
//
// Owned by a session, on the event loop. It decides the reply to each MAIL and RCPT, and builds the
// Arrival.
#pragma once

#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "queue/ports.hpp"
#include "queue/sender_counts.hpp"
#include "smtp-bridge/server/command.hpp"
#include "smtp-bridge/server/data_reader.hpp"
#include "smtp-bridge/server/listener_settings.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace smtp_bridge {

/// As much of a content as a header is looked at, and one byte more, which shows that it may go on.
inline constexpr std::size_t kBeginning = base::limits::kHeader + 1;

class Transaction {
  public:
    /// Both have to outlive it.
    Transaction(const ListenerSettings& settings, const queue::Router& router)
        : settings_(settings), router_(router) {}

    mail::Reply hello(const Hello& command);
    mail::Reply mail(const MailFrom& command);
    mail::Reply rcpt(const RcptTo& command);
    /// The refusal of DATA, if it is refused.
    std::optional<mail::Reply> refuse_data() const;
    bool is_started() const { return started_; }
    void reset();
    /// STARTTLS or XCLIENT: the client starts anew, and says hello again.
    void forget_client();
    /// The session is encrypted from now on.
    void set_tls() { tls_ = true; }
    bool offers_requiretls() const { return tls_ && settings_.requiretls; }
    /// XFORWARD: who the client speaks for, in the next mail. `attributes` add up until then, and
    /// end with it, or with RSET (Postfix's XFORWARD_README).
    mail::Reply forward(const XclientAttributes& attributes);

    const std::string& helo() const { return helo_; }
    const mail::Envelope& envelope() const { return envelope_; }
    std::optional<std::uint64_t> announced_size() const { return size_; }

    /// What a complete message is refused with, if it is.
    static std::optional<mail::Reply> refuse(DataReader::Fault fault);
    /// The same for what its content begins with, kBeginning bytes of it, and the header in that.
    std::optional<mail::Reply> refuse(const mail::HeaderSummary& header,
                                      std::string_view beginning) const;
    /// The same for what XMPP can't carry and SMTP must not, as we have promised that: where that
    /// is so of some recipients only, the others get it.
    std::optional<mail::Reply> refuse_promised(const mail::HeaderSummary& header,
                                               const DataReader& reader) const;
    /// Moves the envelope out. `reader`: of the content, in which there may be other octets than
    /// BODY= said. `header`: of the content.
    queue::Arrival arrival(queue::Content content, mail::HeaderSummary header,
                           const DataReader& reader, std::string client);
    /// Moves out what the message takes of its sender's limits; before arrival(). Nothing: it has
    /// none.
    std::optional<queue::SenderTicket> ticket() { return std::exchange(ticket_, std::nullopt); }

  private:
    base::Result<mail::Mailbox> postmaster() const;
    bool takes_from_limits(const MailFrom& command);
    /// A message of so many bytes is more than its peer takes, and must not go by SMTP.
    std::optional<mail::Reply> refuse_size(const mail::Domain& domain, std::uint64_t size) const;
    bool is_promised(const mail::Domain& domain) const {
        return router_.is_promised(envelope_.from, domain);
    }

    const ListenerSettings& settings_;
    const queue::Router& router_;
    std::string helo_;
    bool tls_ = false;
    XclientAttributes forwarded_;
    std::optional<int> priority_;
    bool started_ = false;  ///< behind a MAIL that was taken
    mail::Envelope envelope_;
    std::vector<queue::Destination> destinations_;
    std::optional<std::uint64_t> size_;
    std::optional<queue::SenderTicket> ticket_;  ///< if its sender is one of ours
};

/// The one way to say 250 to a message: it takes the proof that it is on the disk (invariant 1).
mail::Reply accepted(const queue::Committed<queue::Receipt>& receipt);
/// What the client hears when the intake could not take it.
mail::Reply not_accepted(const base::Error& error);

}  // namespace smtp_bridge
