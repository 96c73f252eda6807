#include "component/xml/jid.hpp"

#include "base/text.hpp"
#include "mail/domain.hpp"

namespace component {
namespace {

constexpr std::size_t kPart = 1023;  // octets; RFC 7622 3.2, RFC 7622 3.3, RFC 7622 3.4

bool is_domain_char(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F &&
           std::string_view("\"&'/:<>@").find(c) == std::string_view::npos;
}

/// In one spelling, whatever the server's is (RFC 7622 3.2).
std::string fold_domainpart(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    std::string folded = base::to_lower(text);
    if (base::is_ascii(folded) && folded.find("xn--") == std::string::npos) return folded;
    const auto domain = mail::Domain::parse(folded);
    return domain ? domain->domainpart() : folded;
}

}  // namespace

base::Result<Jid> Jid::parse(std::string_view text) {
    // The resource goes first: it alone may contain both separators.
    Jid jid;
    const auto slash = text.find('/');
    if (slash != std::string_view::npos) {
        jid.resource_ = text.substr(slash + 1);
        text = text.substr(0, slash);
        if (jid.resource_.empty())
            return base::fail(base::Errc::syntax, "the JID has an empty resource");
    }
    const auto at = text.find('@');
    if (at != std::string_view::npos) {
        jid.local_ = text.substr(0, at);
        text = text.substr(at + 1);
        if (jid.local_.empty())
            return base::fail(base::Errc::syntax, "the JID has an empty localpart");
    }
    jid.domain_ = fold_domainpart(text);
    if (jid.domain_.empty()) return base::fail(base::Errc::syntax, "the JID has no domainpart");
    if (jid.local_.size() > kPart || jid.domain_.size() > kPart || jid.resource_.size() > kPart)
        return base::fail(base::Errc::limit, "a part of the JID is too long");
    for (const char c : jid.domain_) {
        if (!is_domain_char(c))
            return base::fail(base::Errc::syntax, "the JID's domainpart is not a name");
    }
    return jid;
}

}  // namespace component
