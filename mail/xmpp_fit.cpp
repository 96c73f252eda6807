#include "mail/xmpp_fit.hpp"

namespace mail {

bool fits_xmpp(const ReversePath& from, const Mailbox& recipient) {
    return (!from || from->keeps_grammar()) && recipient.keeps_grammar() &&
           !recipient.domain().is_address_literal();
}

std::optional<std::string> unfit_for_xmpp(const HeaderSummary& header, bool has_nul) {
    if (has_nul) return "XMPP can't carry it: the message has a NUL";
    if (!header.well_formed) return "XMPP can't carry it: the header has a line that is no field";
    return std::nullopt;
}

std::optional<std::string> unfit_for_xmpp(std::string_view content) {
    return unfit_for_xmpp(summarize_header(content), content.find('\0') != content.npos);
}

}  // namespace mail
