// Characters: every one of Unicode, and what is none.
#include "base/characters.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <vector>

#include <catch2/catch.hpp>

namespace {

std::string utf8(char32_t c) {
    const auto byte = [](char32_t bits) { return static_cast<char>(bits); };
    const auto more = [&](int shift, char32_t of) { return byte(0x80 | ((of >> shift) & 0x3F)); };
    if (c < 0x80) return {byte(c)};
    if (c < 0x800) return {byte(0xC0 | c >> 6), more(0, c)};
    if (c < 0x10000) return {byte(0xE0 | c >> 12), more(6, c), more(0, c)};
    return {byte(0xF0 | c >> 18), more(12, c), more(6, c), more(0, c)};
}

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

bool is_in(const Ranges& ranges, char32_t c) {
    return std::ranges::any_of(ranges,
                               [&](const auto& r) { return r.first <= c && c <= r.second; });
}

// The categories Cc, Cf, Zl and Zp in UnicodeData.txt of Unicode 15.1.
const Ranges kControls{
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},   {0x070F, 0x070F},   {0x0890, 0x0891},
    {0x08E2, 0x08E2},   {0x180E, 0x180E},   {0x200B, 0x200F},   {0x2028, 0x202E},
    {0x2060, 0x2064},   {0x2066, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},
    {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
};
// What is reserved for more of them: Default_Ignorable_Code_Point, unassigned.
const Ranges kReserved{{0x2065, 0x2065}, {0xFFF0, 0xFFF8}, {0xE0000, 0xE00FF}, {0xE01F0, 0xE0FFF}};
const Ranges kNoncharacters{{0xFDD0, 0xFDEF}};

}  // namespace

TEST_CASE("of all characters, those that a terminal may obey are never shown, and all others are") {
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        if (c >= 0xD800 && c <= 0xDFFF) continue;
        const bool is_noncharacter = is_in(kNoncharacters, c) || (c & 0xFFFE) == 0xFFFE;
        const bool hidden = is_noncharacter || is_in(kControls, c) || is_in(kReserved, c);
        const std::string text = "a" + utf8(c) + "b";
        const std::string shown = base::printable(text, 100);
        if (shown == (hidden ? "a?b" : text) && base::is_printable(c) == !hidden) continue;
        FAIL("U+" << std::hex << static_cast<std::uint32_t>(c) << " is shown as " << shown);
    }
}

TEST_CASE("what is no character is shown octet by octet") {
    CHECK(base::printable("a\xED\xA0\x80z", 100) == "a???z");       // a surrogate
    CHECK(base::printable("a\xF4\x90\x80\x80z", 100) == "a????z");  // beyond U+10FFFF
    CHECK(base::printable("a\xC0\x9Bz", 100) == "a??z");            // overlong
    CHECK(base::printable("a\x9Bz", 100) == "a?z");                 // C1 as one octet
    CHECK(base::printable("a\xC2", 100) == "a?");
    for (const char32_t c : {0xD800U, 0xDFFFU, 0x110000U, 0xFFFFFFFFU})
        CHECK_FALSE(base::is_printable(c));
}

TEST_CASE("characters are taken one after the other") {
    std::string_view text = "a\xC3\xA4\xFF\xF0\x9F\x98\x80";
    CHECK(base::take_character(text) == U'a');
    CHECK(base::take_character(text) == U'\u00E4');
    CHECK(base::take_character(text) == std::nullopt);
    CHECK(base::take_character(text) == U'\U0001F600');
    CHECK(text.empty());
}
