#include "base/text.hpp"

#include "base/characters.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace base {
namespace {

/// The octets at the front of `text` that are visible ASCII or spaces.
std::size_t visible_ascii(std::string_view text) {
    const auto* const end = std::ranges::find_if(
        text, [](char c) { return static_cast<unsigned char>(c - ' ') > '~' - ' '; });
    return static_cast<std::size_t>(end - text.begin());
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
    return iequals(text.substr(0, prefix.size()), prefix);
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
    if (error != std::errc() || end != digits.data() + digits.size())
        return fail(Errc::syntax, "not a number");
    if (value > most) return fail(Errc::limit, "the number is too large");
    return value;
}

bool is_ascii(std::string_view text) {
    // Whole words at a time: who reads mail asks this of each piece of it.
    std::uint64_t word = 0;
    for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
        std::memcpy(&word, text.data(), sizeof word);
        if ((word & 0x8080'8080'8080'8080) != 0) return false;
    }
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        if (!take_character(text)) return false;
    }
    return true;
}

std::string printable(std::string_view text, std::size_t most) {
    std::string out;
    while (!text.empty()) {
        // Almost all that is shown is ASCII, and each log line asks for several values.
        const std::size_t plain = std::min(visible_ascii(text), most - out.size());
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty() || out.size() == most) break;
        const std::string_view before = text;
        const auto character = take_character(text);
        const std::size_t length = before.size() - text.size();
        if (out.size() + length > most) break;
        const bool shown = character && is_printable(*character);
        out.append(shown ? before.substr(0, length) : "?");
    }
    return out;
}

}  // namespace base
