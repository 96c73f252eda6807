// Verdict: what a next hop's reply says of a mail, of a recipient, or of the link; with the quirks
// of those who say it otherwise than they mean it. Pure functions.
//
// Tested by tests/unit/smtp-bridge/client/client_envelope_test.cpp and
// tests/unit/smtp-bridge/client/client_test.cpp.
#pragma once

#include "mail/status.hpp"
#include "smtp-bridge/client/reply_parser.hpp"

namespace smtp_bridge {

/// How the answer to a command counts for a recipient: only 2yz, 4yz and 5yz, and 552 5.5.3 is for
/// now only (RFC 5321 4.5.3.1.10).
mail::Reply as_verdict(const ServerReply& reply);
/// The same for the answer to RCPT, where 552 without a reason is for now only, too.
mail::Reply as_rcpt_verdict(const ServerReply& reply);
/// "Too many recipients" for one transaction, if it is a verdict on RCPT.
bool is_too_many(const mail::Reply& rcpt_verdict);
/// A refusal of the link as such says nothing about a mail, so it is never final.
mail::Reply as_deferral(const mail::Reply& reply);

}  // namespace smtp_bridge
