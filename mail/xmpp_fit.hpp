// XmppFit: which mail the transfer protocol can carry. All other mail goes by SMTP, which is less
// particular. Pure.
#pragma once

#include "mail/address.hpp"
#include "mail/header_scanner.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mail {

/// Whether mail with these addresses may go: they keep the grammar, and the recipient has a domain
/// that can be looked up.
bool fits_xmpp(const ReversePath& from, const Mailbox& recipient);

/// Why a message of clean lines can't go (protocol rule 7); nothing if it can. `header`: its own.
std::optional<std::string> unfit_for_xmpp(const HeaderSummary& header, bool has_nul);
/// The same; reads all of it.
std::optional<std::string> unfit_for_xmpp(std::string_view content);

}  // namespace mail
