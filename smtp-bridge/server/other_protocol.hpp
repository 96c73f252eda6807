// What comes to a mail port and is no SMTP: HTTP, TLS, a message's header. Behind it may stand a
// dialogue that a stranger has written (the body of a POST), so nothing of it is read. Pure.
#pragma once

#include <string_view>

namespace smtp_bridge {

/// A command begins with a letter (RFC 5321 4.1.1). The rest is known by its first octet:
/// TLS has 0x16 there. An empty line begins with its line end.
bool may_begin_line(char first);

/// `line` is one that the grammar does not know. True for a request of HTTP and for a header field
/// (`Host: x`), as Postfix's smtpd_forbidden_commands has it.
bool is_other_protocol(std::string_view line);

/// `line` was not taken for what it says it is: DATA or BDAT, behind which content may follow that
/// must not be read as commands.
bool announces_content(std::string_view line);

}  // namespace smtp_bridge
