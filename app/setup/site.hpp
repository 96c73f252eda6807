// Site: what `packetboat setup` has found out of this machine, and what it is to become.
//
// A value.
//
// Tested by tests/unit/app/setup/packetboat_edits_test.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace app {

enum class XmppServer { prosody, ejabberd };

struct Site {
    XmppServer xmpp = XmppServer::prosody;
    std::vector<std::string>
        domains;            ///< of the mail, as the XMPP server spells them; at least one
    std::string component;  ///< its name, which is a host to other servers
    std::string hostname;   ///< Postfix's `myhostname`
    std::string secret;
    std::uint16_t component_port = 5347;
    bool require_certificates = false;     ///< of other servers, for chat, too
    std::string assurance;                 ///< of the XMPP server's links: `pkix` or `dialback`
    std::uint64_t max_stanza = 524288;     ///< bytes
    std::uint64_t message_size_limit = 0;  ///< Postfix's, in bytes; 0: none
};

/// They in a row, as lists in configuration files are.
std::string joined(const std::vector<std::string>& names, const std::string& between = " ");

}  // namespace app
