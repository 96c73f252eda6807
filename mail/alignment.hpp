// Alignment: does the domain that a mail shows belong to the one that was authenticated?
// (RFC 7489 3.1, with the Public Suffix List.) Pure.
#pragma once

#include "mail/domain.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mail {

enum class Alignment : std::uint8_t {
    none,     ///< of different organisations
    relaxed,  ///< of the same organisation: `news.example.org` and `example.org`
    strict,   ///< the same domain
};
const char* to_text(Alignment alignment);

Alignment alignment(const Domain& authenticated, const Domain& shown);

/// The domain of the author that a mail program shows: nothing unless the header has one From field
/// with one address, as programs differ in what they show then.
std::optional<Domain> author_domain(std::string_view content);

}  // namespace mail
