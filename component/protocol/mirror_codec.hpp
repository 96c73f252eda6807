// The mirror codec: writes the two payloads of the mirror, and the words in them.
//
// Pure functions. Reading is the mirror parser's.
#pragma once

#include "component/protocol/mirror.hpp"

#include <span>
#include <string>

namespace component {

/// `domains`: each once, 1 to kMirrorDomains.
std::string encode_mirror(std::span<const mail::Domain> domains);
std::string encode_mirrored(const Mirrored& mirrored);

}  // namespace component
