// Small pure functions on ASCII text that parsers of every room need.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace base {

/// ASCII only, locale-free.
char to_lower(char c);
std::string to_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);
/// Without leading and trailing spaces and tabs.
std::string_view trim(std::string_view text);
/// The pieces between runs of any of `separators`; no empty pieces.
std::vector<std::string_view> split(std::string_view text, std::string_view separators = " \t");
/// Decimal digits only, no sign. Errc::syntax, or Errc::limit above `most`.
Result<std::uint64_t> parse_number(std::string_view digits, std::uint64_t most = UINT64_MAX);
bool is_ascii(std::string_view text);
/// Well-formed UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
bool is_utf8(std::string_view text);
/// For all that shows text from outside: what is not is_printable() (base/characters.hpp) becomes
/// '?', as does each ill-formed octet; at most `most` bytes, cut at a character's boundary.
std::string printable(std::string_view text, std::size_t most);

}  // namespace base
