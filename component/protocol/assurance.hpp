// Assurance: what server-to-server links prove of both ends, as an administrator says
// (protocol rule 8).
//
// Pure.
//
// Tested by tests/unit/component/protocol/mirror_codec_test.cpp.
#pragma once

#include <optional>
#include <string_view>

namespace component {

/// What the admin says of the server-to-server links of our server (protocol rule 8).
enum class Assurance { pkix, dialback, none };
const char* to_text(Assurance assurance);
/// Nothing for any other word.
std::optional<Assurance> parse_assurance(std::string_view word);

}  // namespace component
