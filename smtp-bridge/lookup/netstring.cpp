#include "smtp-bridge/lookup/netstring.hpp"

#include <fmt/format.h>

namespace smtp_bridge {

base::Result<std::optional<Netstring>> parse_netstring(std::string_view input, std::size_t most) {
    const auto bad = [] { return base::fail(base::Errc::syntax, "not a netstring"); };
    const std::optional<Netstring> not_yet;
    std::size_t length = 0;
    std::size_t at = 0;
    for (;; ++at) {
        if (at == input.size()) return not_yet;
        const char c = input[at];
        if (c == ':' && at > 0) break;
        if (c < '0' || c > '9' || (at == 1 && input[0] == '0')) return bad();
        length = length * 10 + static_cast<std::size_t>(c - '0');
        if (length > most) return base::fail(base::Errc::limit, "the netstring is too long");
    }
    ++at;
    if (input.size() < at + length + 1) return not_yet;
    if (input[at + length] != ',') return bad();
    return std::optional(Netstring{input.substr(at, length), at + length + 1});
}

std::string to_netstring(std::string_view payload) {
    return fmt::format("{}:{},", payload.size(), payload);
}

}  // namespace smtp_bridge
