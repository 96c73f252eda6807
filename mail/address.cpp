#include "mail/address.hpp"

#include "base/characters.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"

namespace mail {
namespace {

using base::Errc;
using base::fail;

bool is_non_ascii(char c) {
    return static_cast<unsigned char>(c) >= 0x80;
}

/// RFC 5322 3.2.3, with UTF8-non-ascii of RFC 6531 3.3.
bool is_atext(char c) {
    static constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           is_non_ascii(c) || kOthers.find(c) != std::string_view::npos;
}

/// C1 and the separators of lines and paragraphs, which the grammar below lets pass: no address has
/// them, while other invisible characters are part of some scripts. `utf8` is UTF-8.
bool has_control(std::string_view utf8) {
    while (!utf8.empty()) {
        const auto c = *base::take_character(utf8);
        if ((c >= 0x80 && c < 0xA0) || c == 0x2028 || c == 0x2029) return true;
    }
    return false;
}

/// RFC 5321 4.1.2: length of the Quoted-string at the front of `text`, or 0 if there is none.
std::size_t quoted_string_length(std::string_view text) {
    const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\') {
            // quoted-pairSMTP: any printable ASCII behind the backslash
            if (++i == text.size() || !printable(text[i])) return 0;
        } else if (!printable(text[i]) && !is_non_ascii(text[i])) {
            return 0;
        }
    }
    return 0;
}

/// The same with anything between the quotes.
std::size_t loosely_quoted_length(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\') ++i;
    }
    return 0;
}

/// How many octets at the front of `text` a dot-string may have.
std::size_t dotted_length(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && (is_atext(text[length]) || text[length] == '.'))
        ++length;
    return length;
}

/// RFC 5321 4.1.2: length of the Dot-string at the front of `text`, or 0 if there is none.
std::size_t dot_string_length(std::string_view text) {
    const std::size_t length = dotted_length(text);
    const std::string_view local = text.substr(0, length);
    if (local.empty() || local.front() == '.' || local.back() == '.') return 0;
    return local.find("..") == std::string_view::npos ? length : 0;
}

}  // namespace

base::Result<Mailbox> Mailbox::parse(std::string_view text) {
    if (text.size() > base::limits::kMailbox) return fail(Errc::limit, "the address is too long");
    if (!base::is_utf8(text)) return fail(Errc::syntax, "the address is not UTF-8");
    if (has_control(text)) return fail(Errc::syntax, "the address has a control character");
    const std::size_t at =
        text.starts_with('"') ? quoted_string_length(text) : dot_string_length(text);
    if (at == 0) return fail(Errc::syntax, "not a local part");
    if (at == text.size() || text[at] != '@') return fail(Errc::syntax, "not an address");
    if (at > base::limits::kLocalPart) return fail(Errc::limit, "the local part is too long");
    auto domain = Domain::parse(text.substr(at + 1));
    if (!domain) return domain.error();
    return Mailbox(std::string(text), at, std::move(*domain), true);
}

base::Result<Mailbox> Mailbox::parse_loosely(std::string_view text) {
    auto strict = parse(text);
    if (strict) return strict;
    if (text.size() > kPath) return fail(Errc::limit, "the address is too long");
    constexpr std::string_view kNever("\0\r\n", 3);
    if (!base::is_utf8(text) || text.find_first_of(kNever) != std::string_view::npos) return strict;
    const std::size_t at =
        text.starts_with('"') ? loosely_quoted_length(text) : dotted_length(text);
    if (at == 0 || at == text.size() || text[at] != '@') return strict;
    auto domain = Domain::parse_loosely(text.substr(at + 1));
    if (!domain) return domain.error();
    return Mailbox(std::string(text), at, std::move(*domain), false);
}

bool Mailbox::needs_smtputf8() const {
    return !base::is_ascii(text_);
}

bool Mailbox::is_postmaster() const {
    // The quotes are no part of what a quoted local part means (RFC 5321 4.1.2).
    std::string_view local = local_part();
    if (local.front() == '"') local = local.substr(1, local.size() - 2);
    return base::iequals(local, "postmaster");
}

std::string_view to_text(const ReversePath& path) {
    return path ? std::string_view(path->text()) : std::string_view();
}

}  // namespace mail
