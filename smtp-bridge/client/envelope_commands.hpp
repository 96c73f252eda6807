// How an envelope is written as MAIL and RCPT commands for a server with given extensions: only
// with the parameters of those (RFC 5321 4.1.1). Pure.
#pragma once

#include "mail/envelope.hpp"
#include "smtp-bridge/client/client.hpp"

#include <optional>
#include <string>

namespace smtp_bridge {

/// Why the message can't go to a server with these extensions at all (RFC 8689 4.2.1, RFC 1870 4,
/// RFC 6531 3.2, RFC 6152 3); nothing if it can.
std::optional<mail::Reply> cannot_carry(const Parcel& parcel, const Extensions& extensions);
/// The same for one recipient.
std::optional<mail::Reply> cannot_carry(const mail::Mailbox& recipient,
                                        const Extensions& extensions);

/// With CRLF. Those of DSN go on as they came (RFC 3461 5.2.1), or not at all (RFC 3461 5.2.2).
std::string mail_command(const Parcel& parcel, const Extensions& extensions);
std::string rcpt_command(const mail::Recipient& recipient, const Extensions& extensions);

}  // namespace smtp_bridge
