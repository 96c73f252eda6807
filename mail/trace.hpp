// Trace fields: what is prepended to a message at final hand-over, and the one thing that is taken
// away.
#pragma once

#include "base/clock.hpp"
#include "mail/content.hpp"
#include "mail/dmarc.hpp"
#include "mail/domain.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mail {

/// What one hop over XMPP is said to have been.
struct XmppTrace {
    std::string from;  ///< the sending component's JID
    std::string by;    ///< ours
    std::string transfer_id;
    bool smtputf8 = false;
    base::TimePoint received_at;
    std::string for_address;  ///< the only recipient, or empty
};

/// `Received: from mail.a.test by mail.b.test via XMPP with MAILXFER id ...; date`, folded, with
/// CRLF (RFC 5321 4.4, RFC 5321 3.7.2; protocol rule 6).
std::string received_field(const XmppTrace& trace);

/// What stands behind our host's name in a Received field, where a mail server may have that name.
inline constexpr std::string_view kPacketboatComment = "(Packetboat)";

/// What one hop from our own mail server into it is said to have been: mail that it gave to us
/// though it is its own.
struct SmtpTrace {
    std::string helo;
    std::string client;  ///< an IP address, or another word for who it was
    std::string by;      ///< our host
    std::string id;      ///< of the queue
    base::TimePoint received_at;
};

/// `Received: from mx.a.test ([127.0.0.1]) by mx.a.test (Packetboat) id ...; date`, as above.
std::string received_field(const SmtpTrace& trace);

/// What the stream's authentication says about the sender (RFC 8601 2.7.6).
struct XmppAuthentication {
    std::string authserv_id;      ///< ours
    std::string assurance;        ///< `pkix`, `dialback` or `none`: what the admin configured
    Domain domain;                ///< that the sending component was authorised for
    std::string envelope_domain;  ///< of MAIL FROM, A-labels; empty for the null reverse-path
    std::optional<Domain>
        author{};  ///< of the From field; nothing if it has not exactly one address
    /// Of those to_look_up(); of a domain that is not here, the Public Suffix List decides.
    std::vector<DomainOwner> owners{};
    std::string peer_class{};  ///< what we think of the domain, in a word; empty: nothing
};
/// Whose owners decide how sender and author align; empty if it is clear without them, as the
/// domains are the same or nothing was authenticated. Three at most, each once.
std::vector<Domain> to_look_up(const XmppAuthentication& authentication);

/// `Authentication-Results: mx.b.test; x-xmpp-s2s=pass ...`, folded behind that, with CRLF. How
/// sender and author align with the authenticated domain is in policy.mailfrom-aligned and
/// policy.from-aligned (RFC 8601 2.4): `strict`, `relaxed` or `no`; the last is the end of the
/// field. Where the author's policy was found, if it was looked for, is in policy.dmarc-domain. It
/// does not say that DMARC passed, which knows SPF and DKIM only. What we think of the
/// authenticated domain is in policy.class.
std::string authentication_results_field(const XmppAuthentication& authentication);

/// Does the value of an Authentication-Results field claim to come from `authserv_id`?
bool is_of_authserv(std::string_view value, std::string_view authserv_id);

/// `trace` (complete fields) before `content`, where RFC 8601 4.1 wants them, without those
/// Authentication-Results fields of the content's header that claim to come from `authserv_id` (RFC
/// 8601 5), or whose id hides in an encoded-word. No other byte changes.
std::string with_trace(std::string_view trace, std::string_view content,
                       std::string_view authserv_id);

}  // namespace mail
