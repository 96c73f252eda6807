// s2s_certificate: which certificate does an XMPP server show to other servers, for a name?
//
// Asks as a peer does (RFC 6120 5.4): a stream to that name, STARTTLS, and the handshake; then it
// goes. Reads only as much of XML as that needs, as it is our own server's.
//
// Tested by tests/unit/app/daemon/s2s_certificate_test.cpp and tests/e2e/test_check.py.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "component/discovery/resolver.hpp"
#include "mail/domain.hpp"

#include <optional>
#include <string>
#include <vector>

namespace app {

struct S2sCertificate {
    std::vector<std::string> names;  ///< of its dNSName entries; ten at most, printable
    bool is_for_name = false;        ///< one of them is it (RFC 6125)
    base::TimePoint ends;
    std::string distrust;  ///< why the system's authorities do not vouch for it; empty: they do
};

/// `name`: the component, as its JID is written. Ten seconds at most, and what the system takes for
/// the address of a host. Errc::io (who can't be reached, or speaks no XMPP), Errc::refused (no
/// TLS), Errc::timeout.
base::Task<base::Result<S2sCertificate>> s2s_certificate(component::ServerAddress server,
                                                         mail::Domain name);

/// What one server of a component has shown.
struct ShownCertificate {
    component::ServerAddress server;
    base::Result<S2sCertificate> certificate;
};
/// Of all servers that the DNS has for it, one after the other. Errors as
/// component::find_servers.
base::Task<base::Result<std::vector<ShownCertificate>>> s2s_certificates(std::string resolver,
                                                                         mail::Domain name);

/// What peers mind, or will mind in two weeks; nothing: they take it. `needs_trust`: our links are
/// said to be verified.
std::optional<std::string> certificate_fault(const S2sCertificate& certificate,
                                             const std::string& name, bool needs_trust,
                                             base::TimePoint now);

}  // namespace app
