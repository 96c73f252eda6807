// Commands of SMTP and LMTP (RFC 5321, RFC 2033, and the extensions that the server offers) and
// their pure parser.
//
// Strict: what breaks the grammar is answered, not guessed at. No state, any thread; a failure is
// the reply that the client is to get.
#pragma once

#include "mail/address.hpp"
#include "mail/envelope.hpp"
#include "mail/status.hpp"
#include "smtp-bridge/client_attributes.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace smtp_bridge {

struct Hello {
    enum class Verb : std::uint8_t { helo, ehlo, lhlo };
    Verb verb = Verb::ehlo;
    std::string name;  ///< what the client says it is; printable, without spaces
};

struct MailFrom {
    mail::ReversePath from;
    std::optional<std::uint64_t> size;  ///< RFC 1870, octets
    mail::Body body = mail::Body::seven_bit;
    bool smtputf8 = false;
    mail::Ret ret = mail::Ret::unset;
    std::string envid;            ///< decoded
    bool requiretls = false;      ///< RFC 8689
    std::optional<int> priority;  ///< MT-PRIORITY of RFC 6710, -9 to 9
};

struct RcptTo {
    std::optional<mail::Mailbox> address;  ///< nothing for `<postmaster>` without a domain
    mail::Notify notify;
    std::string orcpt;  ///< what mail::parse_orcpt() gave
};

struct Data {};
/// RFC 3030: `size` octets of the message follow; with the last of them it is complete.
struct Chunk {
    std::uint64_t size = 0;
    bool last = false;
};
/// RFC 3207.
struct StartTls {};
/// What a trusted client says of the client that it speaks for: for the log and the trace only.
struct Forward {
    ClientAttributes client;
};
/// What a trusted client says that we are to take it for.
struct Impersonate {
    ClientAttributes client;
};
struct Reset {};
struct Noop {};
struct Quit {};
struct Verify {};
struct Help {};

using Command = std::variant<Hello, MailFrom, RcptTo, Data, Chunk, Reset, Noop, Quit, Verify, Help,
                             StartTls, Forward, Impersonate>;
using ParsedCommand = std::variant<Command, mail::Reply>;

/// `line` is without its CRLF. The reply of a failure is a 5yz.
ParsedCommand parse_command(std::string_view line);

}  // namespace smtp_bridge
