// DsnParameters: ENVID and ORCPT of RFC 3461 and RFC 6533, as they stand in a command and what they
// mean. Pure.
//
// What is parsed here can be written again, for a server without SMTPUTF8 too. What can't, as an
// older version may have stored it, is left out by the writers: these values serve reports only,
// and no mail may fail for them.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace mail {

/// ENVID of at most limits::kEnvid octets, decoded from xtext: printable ASCII
/// (RFC 3461 4.4). Errc::syntax, Errc::limit.
base::Result<std::string> parse_envid(std::string_view text);
/// As xtext; empty if it is no ENVID.
std::string write_envid(std::string_view envid);

/// ORCPT of at most limits::kOrcpt octets, also when it is written as ASCII: `rfc822;bob@b.test`.
/// An address of type utf-8 stays as it is, xtext or unitext of RFC 6533 3; each other is
/// decoded from xtext, and is printable ASCII (RFC 3461 4.2). Errc::syntax, Errc::limit.
base::Result<std::string> parse_orcpt(std::string_view text);
/// The same, and what Postfix (3.7) makes of an internationalised address: UTF-8 as xtext, of type
/// rfc822. It becomes one of type utf-8, as RFC 6533 3 has it: no mail may fail for what it is. Of
/// an address that is too long for an ORCPT, or has control characters, nothing is left.
base::Result<std::string> parse_orcpt_of_client(std::string_view text);
/// In ASCII; empty if it is no ORCPT, or too long.
std::string write_orcpt(std::string_view orcpt);

/// utf-8-addr-xtext of RFC 6533 3: a UTF-8 address where only ASCII may stand.
std::string utf8_address_as_xtext(std::string_view address);

}  // namespace mail
