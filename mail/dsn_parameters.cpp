#include "mail/dsn_parameters.hpp"

#include "base/characters.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/envelope.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace mail {
namespace {

using base::Errc;
using base::fail;

bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

bool is_utf8_type(std::string_view type) {
    return base::iequals(type, "utf-8");
}

/// HEXPOINT of RFC 6533 3: what has to be, or is, encoded, in its shortest form.
std::optional<char32_t> parse_hexpoint(std::string_view digits) {
    std::uint32_t point = 0;
    const auto* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, point, 16);
    if (digits.empty() || error != std::errc() || stop != end) return std::nullopt;
    const bool is_special =
        point == 0x20 || point == '+' || point == '=' || point == '\\';  // the rest is controls
    if (point < 0x80 && !is_special) return std::nullopt;
    if (digits.size() > 2 && digits.front() == '0') return std::nullopt;
    if ((point >= 0xD800 && point <= 0xDFFF) || point > 0x10FFFF) return std::nullopt;
    return point;
}

/// The character at the front of an utf-8-enc-addr, which is taken off; nothing where it is none.
std::optional<char32_t> take_encoded(std::string_view& text) {
    if (!text.starts_with('\\')) {
        const auto character = base::take_character(text);
        const bool is_other = character && *character != '+' && *character != '=';
        return is_other && *character > ' ' ? character : std::nullopt;
    }
    const auto end = text.find('}');
    if (!text.starts_with("\\x{") || end == std::string_view::npos) return std::nullopt;
    const auto point = parse_hexpoint(text.substr(3, end - 3));
    text.remove_prefix(end + 1);
    return point;
}

bool is_control(char32_t character) {
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

void append_as_xtext(std::string& out, char32_t character) {
    const bool stands_for_itself = character > ' ' && character < 0x7F && character != '+' &&
                                   character != '=' && character != '\\';
    if (stands_for_itself) {
        out += static_cast<char>(character);
    } else {
        out += fmt::format("\\x{{{:02X}}}", static_cast<std::uint32_t>(character));
    }
}

/// utf-8-addr-xtext of an utf-8-enc-addr; Errc::syntax if it is none.
base::Result<std::string> encoded_as_xtext(std::string_view address) {
    std::string out;
    while (!address.empty()) {
        const auto character = take_encoded(address);
        if (!character || is_control(*character))
            return fail(Errc::syntax, "not an address of type utf-8");
        append_as_xtext(out, *character);
    }
    return out;
}

/// An address of type utf-8 that is one but for control characters in it.
bool is_utf8_with_controls(std::string_view orcpt) {
    constexpr std::string_view kType = "utf-8;";
    if (!base::istarts_with(orcpt, kType)) return false;
    bool found = false;
    for (std::string_view rest = orcpt.substr(kType.size()); !rest.empty();) {
        const auto character = take_encoded(rest);
        if (!character) return false;
        found = found || is_control(*character);
    }
    return found;
}

}  // namespace

base::Result<std::string> parse_envid(std::string_view text) {
    if (text.size() > base::limits::kEnvid) return fail(Errc::limit, "the ENVID is too long");
    auto envid = decode_xtext(text);
    if (!envid) return envid.error();
    if (envid->empty() || !is_printable_ascii(*envid))
        return fail(Errc::syntax, "the ENVID is not printable ASCII");
    return std::move(*envid);
}

std::string write_envid(std::string_view envid) {
    std::string text = encode_xtext(envid);
    return parse_envid(text) ? std::move(text) : std::string();
}

base::Result<std::string> parse_orcpt(std::string_view text) {
    if (text.size() > base::limits::kOrcpt) return fail(Errc::limit, "the ORCPT is too long");
    const auto semicolon = text.find(';');
    if (semicolon == std::string_view::npos || !is_address_type(text.substr(0, semicolon)))
        return fail(Errc::syntax, "the ORCPT has no address type");
    const auto address = text.substr(semicolon + 1);
    if (address.empty()) return fail(Errc::syntax, "the ORCPT has no address");
    std::string orcpt(text.substr(0, semicolon + 1));
    if (is_utf8_type(text.substr(0, semicolon))) {
        const auto xtext = encoded_as_xtext(address);
        if (!xtext) return xtext.error();
        if (orcpt.size() + xtext->size() > base::limits::kOrcpt)
            return fail(Errc::limit, "the ORCPT is too long as ASCII");
        return orcpt.append(address);
    }
    const auto decoded = decode_xtext(address);
    if (!decoded) return decoded.error();
    if (!is_printable_ascii(*decoded))
        return fail(Errc::syntax, "the ORCPT is not printable ASCII");
    return orcpt.append(*decoded);
}

base::Result<std::string> parse_orcpt_of_client(std::string_view text) {
    static constexpr std::string_view kType = "rfc822;";
    auto strict = parse_orcpt(text);
    if (!strict && is_utf8_with_controls(text)) return std::string();
    if (strict || !base::istarts_with(text, kType)) return strict;
    const auto decoded = decode_xtext_loosely(text.substr(kType.size()));
    if (!decoded || decoded->empty()) return strict;
    std::string orcpt = "utf-8;";
    bool fits = !base::is_ascii(*decoded);
    for (std::string_view rest = *decoded; !rest.empty();) {
        const auto character = *base::take_character(rest);
        fits = fits && !is_control(character);
        append_as_xtext(orcpt, character);
    }
    if (!fits || orcpt.size() > base::limits::kOrcpt) return std::string();
    return parse_orcpt(orcpt);
}

std::string write_orcpt(std::string_view orcpt) {
    const auto semicolon = orcpt.find(';');
    if (semicolon == std::string_view::npos) return {};
    const auto address = orcpt.substr(semicolon + 1);
    std::string text(orcpt.substr(0, semicolon + 1));
    if (is_utf8_type(orcpt.substr(0, semicolon))) {
        const auto xtext = encoded_as_xtext(address);
        // An older version stored it decoded, as the sender's program may have meant it.
        text += xtext ? *xtext : utf8_address_as_xtext(address);
    } else {
        text += encode_xtext(address);
    }
    return parse_orcpt(text) ? std::move(text) : std::string();
}

std::string utf8_address_as_xtext(std::string_view address) {
    std::string out;
    while (!address.empty())
        append_as_xtext(out, base::take_character(address).value_or('?'));
    return out;
}

}  // namespace mail
