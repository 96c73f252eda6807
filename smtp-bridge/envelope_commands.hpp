// How an envelope is written as MAIL and RCPT commands for a server with given extensions. Pure.
#pragma once

#include "mail/envelope.hpp"
#include "smtp-bridge/client.hpp"

#include <optional>
#include <string>

namespace smtp_bridge {

/// Why the message can't go to a server with these extensions at all; nothing if it can.
std::optional<mail::Reply> cannot_carry(const Parcel& parcel, const Extensions& extensions);
/// The same for one recipient.
std::optional<mail::Reply> cannot_carry(const mail::Mailbox& recipient,
                                        const Extensions& extensions);

/// With CRLF.
std::string mail_command(const Parcel& parcel, const Extensions& extensions);
std::string rcpt_command(const mail::Recipient& recipient, const Extensions& extensions);

}  // namespace smtp_bridge
