// Commands of SMTP and LMTP (RFC 5321, RFC 2033, and the extensions that the server offers) and
// their pure parser.
//
// Strict: what breaks the grammar is answered, not guessed at. No state, any thread; a failure is
// the reply that the client is to get.
#pragma once

#include "mail/address.hpp"
#include "mail/envelope.hpp"
#include "mail/status.hpp"
#include "smtp-bridge/server/xclient_attributes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace smtp_bridge {

/// RFC 5321 4.1.1.1; LHLO is of RFC 2033 4.1.
struct Hello {
    enum class Verb : std::uint8_t { helo, ehlo, lhlo };
    Verb verb = Verb::ehlo;
    std::string name;  ///< what the client says it is; printable, without spaces
};

/// RFC 5321 4.1.1.2.
struct MailFrom {
    mail::ReversePath from;
    std::optional<std::uint64_t> size;  ///< RFC 1870 6, octets
    mail::Body body = mail::Body::seven_bit;
    bool smtputf8 = false;  ///< RFC 6531 3.4
    mail::Ret ret = mail::Ret::unset;
    std::string envid;            ///< decoded
    bool requiretls = false;      ///< RFC 8689 2
    std::optional<int> priority;  ///< MT-PRIORITY of RFC 6710 3, -9 to 9
};

/// RFC 5321 4.1.1.3.
struct RcptTo {
    /// Nothing for `<postmaster>` without a domain (RFC 5321 4.5.1).
    std::optional<mail::Mailbox> address;
    mail::Notify notify;
    std::string orcpt;  ///< what mail::parse_orcpt() gave
};

/// RFC 5321 4.1.1.4.
struct Data {};
/// RFC 3030 2: `size` octets of the message follow; with the last of them it is complete.
struct Chunk {
    std::uint64_t size = 0;
    bool last = false;
};
/// RFC 3207 4.
struct StartTls {};
/// What a trusted client says of the client that it speaks for: for the log and the trace only.
struct Forward {
    XclientAttributes client;
};
/// What a trusted client says that we are to take it for.
struct Impersonate {
    XclientAttributes client;
};
/// RFC 5321 4.1.1.5.
struct Reset {};
/// RFC 5321 4.1.1.9.
struct Noop {};
/// RFC 5321 4.1.1.10.
struct Quit {};
/// RFC 5321 4.1.1.6.
struct Verify {};
/// RFC 5321 4.1.1.8.
struct Help {};

using Command = std::variant<Hello, MailFrom, RcptTo, Data, Chunk, Reset, Noop, Quit, Verify, Help,
                             StartTls, Forward, Impersonate>;
using ParsedCommand = std::variant<Command, mail::Reply>;

/// `line` is without its CRLF. The reply of a failure is a 5yz.
ParsedCommand parse_command(std::string_view line);

}  // namespace smtp_bridge
