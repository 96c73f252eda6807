// Alignment: does the domain that a mail shows belong to the one that was authenticated?
// (RFC 9989 4.10.2.) Pure.
#pragma once

#include "mail/dmarc.hpp"
#include "mail/domain.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace mail {

enum class Alignment : std::uint8_t {
    none,     ///< of different organisations, or another than the one that its policy wants
    relaxed,  ///< of the same organisation: `news.example.org` and `example.org`
    strict,   ///< the same domain
};
const char* to_text(Alignment alignment);

/// `only_strict`: what is shown is a domain whose policy takes nothing less.
Alignment alignment(const DomainOwner& authenticated, const DomainOwner& shown, bool only_strict);

/// The domain of the author that a mail program shows: nothing unless the header has one From field
/// with one address, as programs differ in what they show then.
std::optional<Domain> author_domain(std::string_view content);

}  // namespace mail
