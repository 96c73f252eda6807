#include "mail/domain.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <idn2.h>

namespace mail {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kLabel = 63;         // octets; RFC 1035 2.3.4
constexpr std::string_view kAce = "xn--";  // what A-labels begin with; RFC 5890 2.3.2.5

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c);
}

/// RFC 1123 2.1 host name label, in lower case.
bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kLabel && is_letter_or_digit(label.front()) &&
           is_letter_or_digit(label.back()) &&
           std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_host_name(std::string_view name) {
    std::string_view last;
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        last = name.substr(start, end - start);
        if (!is_label(last)) return false;
        start = end + 1;
    }
    // RFC 1123 2.1: the last label tells a name from a dotted IPv4 address, so it is never a
    // number.
    return !std::ranges::all_of(last, is_digit);
}

/// The canonical text of the address in `inner`, or nothing; so that equal addresses compare equal.
std::string canonical_address(int family, std::string_view inner) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (inner.size() >= text.size() || inner.find('\0') != std::string_view::npos) return {};
    std::array<std::uint8_t, sizeof(in6_addr)> address{};
    if (inet_pton(family, std::string(inner).c_str(), address.data()) != 1) return {};
    if (inet_ntop(family, address.data(), text.data(), text.size()) == nullptr) return {};
    return text.data();
}

/// RFC 5321 4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
std::string canonical_literal(std::string_view text) {
    static constexpr std::string_view kTag = "IPv6:";
    if (text.size() < 2 || text.back() != ']') return {};
    const std::string_view inner = text.substr(1, text.size() - 2);
    const bool v6 = base::istarts_with(inner, kTag);
    const std::string address = v6 ? canonical_address(AF_INET6, inner.substr(kTag.size()))
                                   : canonical_address(AF_INET, inner);
    if (address.empty()) return {};
    return (v6 ? "[" + std::string(kTag) : "[") + address + "]";
}

/// What parse_loosely() takes beside the grammar: dot-atom of RFC 5322 3.2.3 with UTF-8, so
/// that it can't end the path that it stands in.
bool is_dot_atom(std::string_view name) {
    static constexpr std::string_view kSpecials = "()<>[]:;@\\,\"";
    const auto good = [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != '\x7F' &&
               kSpecials.find(c) == std::string_view::npos;
    };
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        const auto label = name.substr(start, end - start);
        if (label.empty() || !std::ranges::all_of(label, good)) return false;
        if (label.size() > kLabel && base::is_ascii(label)) return false;  // the DNS has none
        start = end + 1;
    }
    return true;
}

/// General-address-literal of RFC 5321 4.1.3, with or without its tag, and without what
/// could end the path.
bool is_bracketed(std::string_view text) {
    const auto dcontent = [](char c) {
        return c > ' ' && c <= '~' && (c < '[' || c > ']') && c != '<' && c != '>';
    };
    return text.size() > 2 && text.front() == '[' && text.back() == ']' &&
           std::ranges::all_of(text.substr(1, text.size() - 2), dcontent);
}

/// What libidn2 makes of a name.
struct Converted {
    int error = IDN2_OK;
    std::string text;
};

/// U-labels as A-labels (RFC 5891 5). `how`: IDN2_NONTRANSITIONAL, or as IDNA 2003 did it.
Converted to_ascii(std::string_view text, int how) {
    std::uint8_t* out = nullptr;
    const std::string terminated(text);
    const int error = idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(terminated.c_str()),
                                     &out, IDN2_NFC_INPUT | how);
    const std::unique_ptr<std::uint8_t, void (*)(void*)> owner(out, idn2_free);
    if (error != IDN2_OK) return {error, {}};
    return {error, std::string(reinterpret_cast<const char*>(out))};
}

/// A-labels as U-labels; nothing if libidn2 can't.
std::optional<std::string> to_unicode(const std::string& ascii) {
    char* out = nullptr;
    const int error = idn2_to_unicode_8z8z(ascii.c_str(), &out, 0);
    const std::unique_ptr<char, void (*)(void*)> owner(out, idn2_free);
    if (error != IDN2_OK) return std::nullopt;
    return std::string(out);
}

}  // namespace

base::Result<Domain> Domain::parse(std::string_view text) {
    // UTF-8 may be longer than the A-labels it becomes, but never by more than a mailbox has room
    // for.
    if (text.size() > base::limits::kMailbox) return fail(Errc::limit, "the domain is too long");
    if (text.starts_with('[')) {
        std::string literal = canonical_literal(text);
        if (literal.empty()) return fail(Errc::syntax, "not an address literal");
        return Domain(std::move(literal));
    }
    if (text.find('\0') != std::string_view::npos) return fail(Errc::syntax, "not a domain name");

    // An ASCII name is taken as it is, A-labels too: the DNS compares nothing else, and a name that
    // IDNA 2008 would not have allowed may still exist there.
    // What is ASCII stays so: `>` and a combining character would make one that is allowed.
    const auto may_stand = [](char c) {
        return static_cast<unsigned char>(c) >= 0x80 || c == '.' || c == '-' ||
               is_letter_or_digit(base::to_lower(c));
    };
    std::string ascii;
    if (base::is_ascii(text)) {
        ascii = base::to_lower(text);
    } else {
        if (!std::ranges::all_of(text, may_stand)) return fail(Errc::syntax, "not a domain name");
        const Converted converted = to_ascii(text, IDN2_NONTRANSITIONAL);
        if (converted.error == IDN2_TOO_BIG_DOMAIN)
            return fail(Errc::limit, "the domain is too long");
        if (converted.error != IDN2_OK)
            return fail(Errc::syntax,
                        std::string("not a domain name: ") + idn2_strerror(converted.error));
        ascii = base::to_lower(converted.text);
    }
    if (ascii.size() > base::limits::kDomain) return fail(Errc::limit, "the domain is too long");
    if (!is_host_name(ascii)) return fail(Errc::syntax, "not a domain name");
    return Domain(std::move(ascii));
}

std::string Domain::unicode() const {
    if (ascii_.find(kAce) == std::string::npos) return ascii_;
    auto text = to_unicode(ascii_);
    if (!text) return ascii_;
    const auto again = parse(*text);
    if (!again || *again != *this) return ascii_;
    return std::move(*text);
}

std::string Domain::domainpart() const {
    std::string text = unicode();
    if (base::is_ascii(text)) return text;
    // The four characters in which IDNA 2003 and 2008 deviate are the same in RFC 3491.
    const Converted prepared = to_ascii(text, IDN2_TRANSITIONAL);
    return prepared.text == ascii_ ? text : ascii_;
}

base::Result<Domain> Domain::parse_loosely(std::string_view text) {
    if (text.ends_with('.')) text.remove_suffix(1);
    auto strict = parse(text);
    if (strict || strict.error().code == Errc::limit) return strict;
    if (text.size() > base::limits::kDomain) return fail(Errc::limit, "the domain is too long");
    if (!base::is_utf8(text) || !(is_dot_atom(text) || is_bracketed(text))) return strict;
    return Domain(base::to_lower(text));
}

bool Domain::is_subdomain_of(const Domain& other) const {
    if (is_address_literal() || other.is_address_literal()) return false;
    return ascii_.size() > other.ascii_.size() && ascii_.ends_with(other.ascii_) &&
           ascii_[ascii_.size() - other.ascii_.size() - 1] == '.';
}

}  // namespace mail
