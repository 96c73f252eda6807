// XclientAttributes: what a trusted client says of another one, with Postfix's XFORWARD and
// XCLIENT. Pure.
//
// Tested by tests/unit/smtp-bridge/server/server_extensions_test.cpp and tests/fuzz/lookup.cpp.
#pragma once

#include "base/result.hpp"

#include <map>
#include <string>
#include <string_view>

namespace smtp_bridge {

/// By name, in upper case: NAME, ADDR, PORT, PROTO, HELO and so on. A value that the client does
/// not have (`[UNAVAILABLE]`, `[TEMPUNAVAIL]`) is empty. An address is without its `IPV6:`.
using XclientAttributes = std::map<std::string, std::string>;

/// `NAME=spike.example ADDR=192.0.2.1`, the values in xtext. Errc::syntax for an attribute that
/// Postfix does not know, one given twice, a bad value, or nothing at all.
base::Result<XclientAttributes> parse_xclient_attributes(std::string_view text);

}  // namespace smtp_bridge
