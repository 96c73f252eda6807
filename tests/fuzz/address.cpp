// Addresses, domains, DSN parameters and status codes: what is parsed and written again is equal;
// and none of them holds a character that could end the line that it is written into.
#include "mail/address.hpp"

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"
#include "mail/dsn_parameters.hpp"
#include "mail/envelope.hpp"
#include "mail/status.hpp"

using namespace mail;
using fuzz::check;

namespace {

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; });
}

void check_mailbox(std::string_view text) {
    const auto mailbox = Mailbox::parse(text);
    if (!mailbox) return;
    check(mailbox->text() == text, "an address is kept verbatim");
    check(!has_control(text) && base::is_utf8(text), "an address has no control character");
    check(std::string(mailbox->local_part()) + '@' + std::string(mailbox->domain_text()) == text,
          "an address is its two parts");
    const auto domain = Domain::parse(mailbox->domain_text());
    check(domain && *domain == mailbox->domain(), "the domain is that of the text");
    const auto again =
        Mailbox::parse(std::string(mailbox->local_part()) + '@' + mailbox->domain().ascii());
    check(again && again->domain() == mailbox->domain() &&
              again->is_postmaster() == mailbox->is_postmaster(),
          "the domain in A-labels makes the same address");
}

/// What parse() takes and what it does not are told apart, and neither can end the path that it
/// stands in.
void check_loosely(std::string_view text) {
    const auto mailbox = Mailbox::parse_loosely(text);
    const auto strict = Mailbox::parse(text);
    check(!strict || mailbox, "what keeps the grammar is taken loosely, too");
    if (!mailbox) return;
    check(mailbox->keeps_grammar() == strict.has_value(), "keeps_grammar()");
    check(mailbox->text() == text && base::is_utf8(text), "an address is kept verbatim");
    check(text.find_first_of(std::string_view("\0\r\n", 3)) == std::string_view::npos,
          "an address ends no line");
    check(mailbox->domain_text().find_first_of("<> ") == std::string_view::npos,
          "a domain ends no path");
    const auto domain = Domain::parse_loosely(mailbox->domain_text());
    check(domain && *domain == mailbox->domain(), "the domain is that of the text");
    check(!mailbox->domain().ascii().ends_with('.'), "domains are compared without a final dot");
}

void check_domain(std::string_view text) {
    const auto domain = Domain::parse(text);
    if (!domain) return;
    const auto again = Domain::parse(domain->ascii());
    check(again && *again == *domain, "a domain's A-labels are the same domain");
    check(base::is_ascii(domain->ascii()) && !has_control(domain->ascii()) &&
              domain->ascii().find(' ') == std::string::npos,
          "A-labels are printable ASCII");
    const std::string unicode = domain->unicode();
    const std::string part = domain->domainpart();
    const auto spoken = Domain::parse(unicode);
    check(spoken && *spoken == *domain, "a domain's U-labels are the same domain");
    check(base::is_utf8(unicode) && !has_control(unicode) && unicode.find(' ') == std::string::npos,
          "U-labels are UTF-8 in one word");
    check(part == unicode || part == domain->ascii(), "a JID has the one or the other");
    check(!domain->is_subdomain_of(*domain), "no domain lies below itself");
    const auto below = Domain::parse("x." + domain->ascii());
    check(!below || below->is_subdomain_of(*domain), "x.DOMAIN lies below DOMAIN");
}

void check_xtext(std::string_view text) {
    const auto encoded = encode_xtext(text);
    check(base::is_ascii(encoded) && !has_control(encoded) &&
              encoded.find_first_of(" =") == std::string::npos,
          "xtext is one word of ASCII");
    const auto decoded = decode_xtext(encoded);
    check(decoded.has_value() == (base::is_utf8(text) && !has_control(text)),
          "what is decoded is UTF-8 without control characters");
    check(!decoded || *decoded == text, "decode_xtext() is the inverse of encode_xtext()");
    const auto read = decode_xtext(text);
    if (!read) return;
    const auto again = decode_xtext(encode_xtext(*read));
    check(again && *again == *read, "decoded xtext can be encoded");
}

void check_dsn(std::string_view text) {
    if (const auto orcpt = parse_orcpt(text)) {
        const auto written = write_orcpt(*orcpt);
        check(base::is_ascii(written) && !has_control(written) && !written.empty(),
              "an ORCPT that is taken can be written as ASCII");
        const auto again = parse_orcpt(written);
        check(again && write_orcpt(*again) == written, "and reads as the same");
    }
    if (const auto envid = parse_envid(text)) {
        const auto again = parse_envid(write_envid(*envid));
        check(again && *again == *envid, "an ENVID that is written reads as the same");
    }
    // Whatever is stored, what is written is taken, or nothing.
    for (const auto& written : {write_orcpt(text), write_orcpt("utf-8;" + std::string(text))})
        check(written.empty() || parse_orcpt(written), "no other ORCPT is written");
}

void check_notify(std::string_view text, char separator) {
    const auto notify = Notify::parse(text, separator);
    if (!notify) return;
    check(notify->is_set(), "NOTIFY that is given is set");
    const auto again = Notify::parse(notify->to_text(separator), separator);
    check(again && *again == *notify, "NOTIFY that is written reads as the same");
}

void check_status(std::string_view text) {
    const auto status = EnhancedStatus::parse(text);
    check(!status || status->to_text() == text, "a status code has one spelling");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    check_mailbox(input);
    check_loosely(input);
    check_domain(input);
    check_xtext(input);
    check_dsn(input);
    check_notify(input, ',');
    check_notify(input, ' ');
    check_status(input);
    return 0;
}
