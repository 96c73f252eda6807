#include "mail/envelope.hpp"

#include "base/text.hpp"

#include <array>

namespace mail {
namespace {

using base::Errc;
using base::fail;

struct NotifyWord {
    std::string_view word;
    bool Notify::*flag;
};
constexpr std::array kNotifyWords{
    NotifyWord{"never", &Notify::never}, NotifyWord{"success", &Notify::success},
    NotifyWord{"failure", &Notify::failure}, NotifyWord{"delay", &Notify::delay}};

base::Result<void> add_word(Notify& notify, std::string_view word) {
    for (const auto& known : kNotifyWords) {
        if (!base::iequals(word, known.word)) continue;
        if (notify.*known.flag) return fail(Errc::syntax, "a word of NOTIFY is repeated");
        notify.*known.flag = true;
        return {};
    }
    return fail(Errc::syntax, "not a word of NOTIFY");
}

/// RFC 3461 4: what stands for itself in xtext.
bool is_xchar(char c) {
    return c > ' ' && c <= '~' && c != '+' && c != '=';
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = base::to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_control_octet(char c) {
    return (c >= 0 && c < ' ') || c == '\x7F';
}

}  // namespace

std::string Notify::to_text(char separator) const {
    std::string text;
    for (const auto& known : kNotifyWords) {
        if (!(this->*known.flag)) continue;
        if (!text.empty()) text += separator;
        text += known.word;
    }
    return text;
}

base::Result<Notify> Notify::parse(std::string_view text, char separator) {
    // An XML list may have any number of spaces around its words; SMTP has exactly one comma.
    if (separator == ' ') text = base::trim(text);
    Notify notify;
    for (std::size_t start = 0; start <= text.size();) {
        std::size_t end = std::min(text.find(separator, start), text.size());
        const auto added = add_word(notify, text.substr(start, end - start));
        if (!added) return added.error();
        while (separator == ' ' && end + 1 < text.size() && text[end + 1] == ' ')
            ++end;
        start = end + 1;
    }
    if (notify.never && (notify.success || notify.failure || notify.delay))
        return fail(Errc::syntax, "NOTIFY has NEVER beside other words");
    return notify;
}

std::string encode_xtext(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_xchar(c)) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '+';
        out += kHex[byte >> 4];
        out += kHex[byte & 0x0F];
    }
    return out;
}

bool is_address_type(std::string_view type) {
    const auto good = [](char c) {
        const char lower = base::to_lower(c);
        return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-';
    };
    return !type.empty() && std::ranges::all_of(type, good);
}

base::Result<std::string> decode_xtext(std::string_view text) {
    auto decoded = decode_xtext_loosely(text);
    // Decoded values go into header fields of reports, where a line break would start a new one.
    if (decoded && std::ranges::any_of(*decoded, is_control_octet))
        return fail(Errc::syntax, "a control character in xtext");
    return decoded;
}

base::Result<std::string> decode_xtext_loosely(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0) return fail(Errc::syntax, "bad escape in xtext");
            out += static_cast<char>(high * 16 + low);
            i += 2;
        } else if (is_xchar(text[i]) || static_cast<unsigned char>(text[i]) >= 0x80) {
            out += text[i];  // UTF-8 as it is: RFC 6533 3, utf-8-addr-unitext
        } else {
            return fail(Errc::syntax, "a character that xtext does not allow");
        }
    }
    if (!base::is_utf8(out)) return fail(Errc::syntax, "xtext that is not UTF-8");
    return out;
}

}  // namespace mail
