// Characters: those of Unicode in UTF-8 text, one by one, and which of them may be shown. Pure.
#pragma once

#include <optional>
#include <string_view>

namespace base {

/// Takes the first character off `text`, which is not empty: nothing, and one octet of it, where
/// that is not well-formed UTF-8 (RFC 3629).
std::optional<char32_t> take_character(std::string_view& text);

/// False for what a terminal may obey, or shows as something else than it is: the categories Cc,
/// Cf, Zl and Zp of Unicode 15.1 (controls, C1 and bidirectional ones among them, invisible
/// characters, line and paragraph separators), and the noncharacters. printable() of base/text.hpp
/// replaces them wherever text from outside is shown.
bool is_printable(char32_t character);

}  // namespace base
