#include "smtp-bridge/server/other_protocol.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace smtp_bridge {
namespace {

/// RFC 9110 9.3, RFC 5789, and what an HTTP/2 connection begins with.
constexpr std::array<std::string_view, 10> kMethods{
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"};
/// Behind whatever other method.
constexpr std::string_view kVersion = " HTTP/";

bool is_letter(char c) {
    const char lower = base::to_lower(c);
    return lower >= 'a' && lower <= 'z';
}

}  // namespace

bool may_begin_line(char first) {
    return is_letter(first) || first == '\r' || first == '\n';
}

bool is_other_protocol(std::string_view line) {
    if (line.empty()) return false;
    const auto end = line.find_first_of(" \t:");
    const auto verb = line.substr(0, end);
    const auto is_verb = [&](std::string_view method) { return base::iequals(verb, method); };
    return !is_letter(line.front()) || std::ranges::any_of(kMethods, is_verb) ||
           line.find(kVersion) != line.npos || (end != line.npos && line[end] == ':');
}

bool announces_content(std::string_view line) {
    return base::istarts_with(line, "DATA") || base::istarts_with(line, "BDAT");
}

}  // namespace smtp_bridge
