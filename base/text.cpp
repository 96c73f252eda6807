#include "base/text.hpp"

#include <algorithm>
#include <charconv>

namespace base {
namespace {

/// Length of the UTF-8 sequence that starts `text`, or 0 if it is ill-formed.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (lead == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    if (lead == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return length;
}

}  // namespace

char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(), [](char c) { return to_lower(c); });
    return lower;
}

bool iequals(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char x, char y) { return to_lower(x) == to_lower(y); });
}

bool istarts_with(std::string_view text, std::string_view prefix) {
    return text.size() >= prefix.size() && iequals(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = text.find_first_not_of(separators); at != std::string_view::npos;) {
        const auto end = text.find_first_of(separators, at);
        pieces.push_back(text.substr(at, end == std::string_view::npos ? end : end - at));
        at = end == std::string_view::npos ? end : text.find_first_not_of(separators, end);
    }
    return pieces;
}

Result<std::uint64_t> parse_number(std::string_view digits, std::uint64_t most) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error == std::errc::result_out_of_range)
        return fail(Errc::limit, "the number is too large");
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty())
        return fail(Errc::syntax, "not a number");
    if (value > most) return fail(Errc::limit, "the number is too large");
    return value;
}

bool is_ascii(std::string_view text) {
    // In blocks without a branch, which the compiler makes wide instructions of.
    constexpr std::size_t kBlock = 64;
    while (!text.empty()) {
        unsigned char seen = 0;
        for (const char c : text.substr(0, kBlock))
            seen |= static_cast<unsigned char>(c);
        if (seen >= 0x80) return false;
        text.remove_prefix(std::min(kBlock, text.size()));
    }
    return true;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = std::max<std::size_t>(utf8_length(text), 1);
        if (out.size() + length > most) break;
        const auto lead = static_cast<unsigned char>(text.front());
        const bool shown = length > 1 || (lead >= 0x20 && lead < 0x7F);
        out.append(shown ? text.substr(0, length) : "?");
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace base
