// Commands of SMTP and LMTP (RFC 5321, RFC 2033) and their pure parser.
//
// Strict: what breaks the grammar is answered, not guessed at. No state, any thread; a failure is
// the reply that the client is to get.
#pragma once

#include "mail/address.hpp"
#include "mail/envelope.hpp"
#include "mail/status.hpp"

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
    std::string envid;  ///< decoded
};

struct RcptTo {
    std::optional<mail::Mailbox> address;  ///< nothing for `<postmaster>` without a domain
    mail::Notify notify;
    std::string orcpt;  ///< decoded
};

struct Data {};
struct Reset {};
struct Noop {};
struct Quit {};
struct Verify {};
struct Help {};

using Command = std::variant<Hello, MailFrom, RcptTo, Data, Reset, Noop, Quit, Verify, Help>;
using ParsedCommand = std::variant<Command, mail::Reply>;

/// `line` is without its CRLF. The reply of a failure is a 5yz.
ParsedCommand parse_command(std::string_view line);

}  // namespace smtp_bridge
