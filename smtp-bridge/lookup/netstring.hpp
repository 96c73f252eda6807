// Netstrings (`5:hello,`), in which Postfix's socketmap speaks. Pure.
#pragma once

#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace smtp_bridge {

struct Netstring {
    std::string_view payload;  ///< a view into the input
    std::size_t used = 0;      ///< bytes of input, with length and comma
};

/// Nothing if there is not enough input yet. Errc::syntax for what is none (leading zeros
/// included), Errc::limit for a payload above `most` bytes.
base::Result<std::optional<Netstring>> parse_netstring(std::string_view input, std::size_t most);

std::string to_netstring(std::string_view payload);

}  // namespace smtp_bridge
