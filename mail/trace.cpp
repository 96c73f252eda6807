#include "mail/trace.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/address.hpp"
#include "mail/alignment.hpp"
#include "mail/header_scanner.hpp"
#include "mail/public_suffix.hpp"

#include <algorithm>
#include <optional>
#include <vector>

namespace mail {
namespace {

constexpr std::size_t kLine = 78;  // characters before CRLF that RFC 5322 2.1.1 recommends

/// Joins `words` with spaces, or with CRLF and a tab where a line would grow longer than kLine.
std::string folded(const std::vector<std::string>& words) {
    std::string out;
    std::size_t line = 0;
    for (const auto& word : words) {
        if (out.empty()) {
            line = word.size();
        } else if (line + 1 + word.size() <= kLine) {
            out += ' ';
            line += 1 + word.size();
        } else {
            out += "\r\n\t";
            line = 1 + word.size();
        }
        out += word;
    }
    return out += "\r\n";
}

/// RFC 2045 5.1: what may stand in a token.
bool is_token_char(char c) {
    static constexpr std::string_view kSpecials = "()<>@,;:\\\"/[]?=";
    return c > ' ' && c <= '~' && kSpecials.find(c) == std::string_view::npos;
}

bool is_token(std::string_view text) {
    for (const char c : text) {
        if (!is_token_char(c)) return false;
    }
    return !text.empty();
}

/// `value` of RFC 8601 2.2: a token, or else a quoted-string.
std::string value_text(std::string_view text) {
    std::string shown = base::printable(text, base::limits::kMailbox);
    if (is_token(shown)) return shown;
    std::string out = "\"";
    for (const char c : shown) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

/// A word for a Received field. What comes from a peer must not end the field or open a comment.
std::string atom(std::string_view text) {
    std::string out = base::printable(text, base::limits::kDomain);
    for (char& c : out) {
        if (!is_token_char(c)) c = '?';
    }
    return out.empty() ? "unknown" : out;
}

/// The domain of a component's JID, in A-labels, as RFC 5321 4.4 wants it in a Received field.
std::string host(std::string_view jid) {
    const auto domain = Domain::parse(jid);
    return domain ? domain->ascii() : atom(jid);
}

/// RFC 5321 4.1.3; what is no address says nothing here.
std::string ip_text(std::string_view text) {
    const bool is_ip = text.find_first_not_of("0123456789abcdefABCDEF.:") == std::string_view::npos;
    if (!is_ip || text.empty()) return "unknown";
    return (text.find(':') == std::string_view::npos ? "" : "IPv6:") + std::string(text);
}

bool skip_comment(std::string_view& text) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '(') {
            ++depth;
        } else if (text[i] == ')' && --depth == 0) {
            text.remove_prefix(i + 1);
            return true;
        }
    }
    return false;
}

/// Skips comments, white space and folding; false if a comment does not end.
bool skip_cfws(std::string_view& text) {
    while (!text.empty()) {
        if (text.front() == '(') {
            if (!skip_comment(text)) return false;
        } else if (text.find_first_of(" \t\r\n") == 0) {
            text.remove_prefix(1);
        } else {
            break;
        }
    }
    return true;
}

std::optional<std::string> quoted_value(std::string_view text) {
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return out;
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        if (text[i] != '\r' && text[i] != '\n') out += text[i];
    }
    return std::nullopt;
}

/// The authserv-id (RFC 8601 2.5) that the value of an Authentication-Results field begins with.
std::optional<std::string> authserv_id_of(std::string_view value) {
    if (!skip_cfws(value) || value.empty()) return std::nullopt;
    if (value.front() == '"') return quoted_value(value);
    std::size_t length = 0;
    while (length < value.size() &&
           (is_token_char(value[length]) || static_cast<unsigned char>(value[length]) >= 0x80))
        ++length;
    if (length == 0) return std::nullopt;
    return std::string(value.substr(0, length));
}

bool is_same_id(std::string_view a, std::string_view b) {
    if (base::iequals(a, b)) return true;
    // RFC 8601 5: in internationalised mail the same name may come in U-labels.
    if (base::is_ascii(a) && base::is_ascii(b)) return false;
    const auto first = Domain::parse(a);
    const auto second = Domain::parse(b);
    return first && second && *first == *second;
}

/// Is there an encoded-word (RFC 2047) where the id should be? No field may have one there, but
/// readers such as Sieve's decode the whole value first, and then see whatever it says.
bool has_encoded_id(std::string_view value) {
    return value.substr(0, value.find(';')).find("=?") != std::string_view::npos;
}

bool is_forged(const HeaderField& field, std::string_view authserv_id) {
    if (!base::iequals(field.name, "Authentication-Results")) return false;
    if (has_encoded_id(field.value)) return true;
    return is_of_authserv(field.value, authserv_id);
}

bool is_assured(const XmppAuthentication& authentication) {
    return authentication.assurance == "pkix" || authentication.assurance == "dialback";
}

DomainOwner owner_of(const XmppAuthentication& authentication, const Domain& domain) {
    const auto found = std::ranges::find(authentication.owners, domain, &DomainOwner::domain);
    return found == authentication.owners.end() ? DomainOwner::by_public_suffix(domain) : *found;
}

/// Does the domain that the link vouches for cover that of MAIL FROM? The null reverse-path names
/// none.
bool covers(const Domain& authorised, std::string_view envelope_domain) {
    if (envelope_domain.empty()) return true;
    const auto domain = Domain::parse(envelope_domain);
    return domain && (*domain == authorised || is_own_subdomain(*domain, authorised));
}

}  // namespace

bool is_of_authserv(std::string_view value, std::string_view authserv_id) {
    const auto claimed = authserv_id_of(value);
    return claimed && is_same_id(*claimed, authserv_id);
}

std::string received_field(const XmppTrace& trace) {
    std::vector<std::string> words{
        "Received: from " + host(trace.from), "by " + host(trace.by), "via XMPP",
        trace.smtputf8 ? "with UTF8MAILXFER" : "with MAILXFER", "id " + atom(trace.transfer_id)};
    const auto address = Mailbox::parse(trace.for_address);
    constexpr std::size_t kMost = base::limits::kLocalPart + 1 + base::limits::kDomain;
    if (address && (trace.smtputf8 || !address->needs_smtputf8()) &&
        base::printable(trace.for_address, kMost) == trace.for_address) {
        words.push_back("for <" + trace.for_address + ">");
    }
    words.back() += ';';
    words.push_back(base::to_rfc5322_date(trace.received_at));
    return folded(words);
}

std::string received_field(const SmtpTrace& trace) {
    std::vector<std::string> words{"Received: from " + host(trace.helo),
                                   "([" + ip_text(trace.client) + "])",
                                   "by " + host(trace.by),
                                   std::string(kPacketboatComment),
                                   "id " + atom(trace.id) + ";",
                                   base::to_rfc5322_date(trace.received_at)};
    return folded(words);
}

std::vector<Domain> to_look_up(const XmppAuthentication& authentication) {
    std::vector<Domain> domains;
    if (!is_assured(authentication)) return domains;
    const auto add = [&](const Domain& shown) {
        if (shown == authentication.domain || shown.is_address_literal()) return;
        if (domains.empty()) domains.push_back(authentication.domain);
        if (domains.back() != shown) domains.push_back(shown);
    };
    if (authentication.author) add(*authentication.author);
    // Most mail has one domain for all.
    if (authentication.envelope_domain == authentication.domain.ascii()) return domains;
    if (const auto sender = Domain::parse(authentication.envelope_domain)) add(*sender);
    return domains;
}

std::string authentication_results_field(const XmppAuthentication& authentication) {
    const bool assured = is_assured(authentication);
    const bool covered = covers(authentication.domain, authentication.envelope_domain);
    const char* const result = !assured ? "none" : covered ? "pass" : "neutral";
    // In one piece, however long the id is: rules know the field by how it begins, and not every
    // one of them takes a folding for a space.
    std::string beginning = "Authentication-Results: " + value_text(authentication.authserv_id) +
                            "; x-xmpp-s2s=" + result;
    if (assured) beginning += " policy.assurance=" + authentication.assurance;
    std::vector<std::string> words{std::move(beginning)};
    words.push_back("policy.domain=" + value_text(authentication.domain.ascii()));
    if (assured && !authentication.peer_class.empty())
        words.push_back("policy.class=" + value_text(authentication.peer_class));
    if (!authentication.envelope_domain.empty())
        words.push_back("smtp.mailfrom=" + value_text(authentication.envelope_domain));
    const auto author = authentication.author;
    if (author) words.push_back("header.from=" + value_text(author->ascii()));
    // Where nothing was authenticated there is nothing to align with.
    if (!assured) return folded(words);
    const auto aligned = [&](const Domain& shown, bool DomainOwner::*only_strict) {
        if (shown == authentication.domain) return Alignment::strict;
        const DomainOwner owner = owner_of(authentication, shown);
        return alignment(owner_of(authentication, authentication.domain), owner,
                         owner.*only_strict);
    };
    const auto sender = Domain::parse(authentication.envelope_domain);
    Alignment author_aligned = Alignment::none;
    if (author) {
        author_aligned = aligned(*author, &DomainOwner::strict_dkim);
        // Where the domains are the same it makes no difference, and nobody looked for it.
        const auto policy = author_aligned == Alignment::strict
                                ? std::nullopt
                                : owner_of(authentication, *author).policy_domain;
        if (policy) words.push_back("policy.dmarc-domain=" + value_text(policy->ascii()));
    }
    if (sender)
        words.push_back(std::string("policy.mailfrom-aligned=") +
                        to_text(aligned(*sender, &DomainOwner::strict_spf)));
    words.push_back(std::string("policy.from-aligned=") + to_text(author_aligned));
    return folded(words);
}

std::string with_trace(std::string_view trace, std::string_view content,
                       std::string_view authserv_id) {
    std::string out;
    out.reserve(trace.size() + content.size());
    out += trace;
    std::size_t kept = 0;  // up to here, content is in `out` or left out on purpose
    std::size_t at = 0;
    HeaderScanner scanner(content);
    while (const auto field = scanner.next()) {
        const std::size_t end = at + field->raw.size();
        if (is_forged(*field, authserv_id)) {
            out += content.substr(kept, at - kept);
            kept = end;
        }
        at = end;
    }
    out += content.substr(kept);
    return out;
}

}  // namespace mail
