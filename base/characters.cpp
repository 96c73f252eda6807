#include "base/characters.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

/// What is not printable, in order: Unicode 15.1, and what it reserves for more of the same kind
/// (U+2065, U+FFF0, U+E0000 and their neighbours).
constexpr std::array<std::pair<char32_t, char32_t>, 25> kUnprintable{{
    {0x0000, 0x001F},       {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x0600, 0x0605},
    {0x061C, 0x061C},       {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},
    {0x08E2, 0x08E2},       {0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x206F},       {0xD800, 0xDFFF},   {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},
    {0xFFF0, 0xFFFB},       {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F},
    {0x1BCA0, 0x1BCA3},     {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF}, {0xE01F0, 0xE0FFF},
    {0x110000, 0xFFFFFFFF},
}};

}  // namespace

std::optional<char32_t> take_character(std::string_view& text) {
    const std::size_t length = utf8_length(text);
    const auto lead = static_cast<unsigned char>(text.front());
    const std::string_view rest = text.substr(1, std::max<std::size_t>(length, 1) - 1);
    text.remove_prefix(1 + rest.size());
    if (length == 0) return std::nullopt;
    char32_t character = length == 1 ? lead : lead & (0xFFU >> (length + 1));
    for (const char c : rest)
        character = character << 6 | (static_cast<unsigned char>(c) & 0x3FU);
    return character;
}

bool is_printable(char32_t character) {
    if ((character & 0xFFFE) == 0xFFFE) return false;  // the last two of each plane
    const auto* const range = std::ranges::lower_bound(
        kUnprintable, character, {}, [](const auto& each) { return each.second; });
    return range == kUnprintable.end() || character < range->first;
}

}  // namespace base
