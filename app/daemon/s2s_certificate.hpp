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
    bool is_for_name = false;        ///< it is for this one (RFC 6120 13.7.1.2)
    base::TimePoint ends;
    std::string distrust;  ///< why the system's authorities do not vouch for it; empty: they do
};

/// `name`: the component. Ten seconds at most. Errc::io (who can't be reached, or speaks no XMPP),
/// Errc::refused (no TLS), Errc::timeout.
base::Task<base::Result<S2sCertificate>> s2s_certificate(component::ServerAddress server,
                                                         mail::Domain name);

/// What peers mind, or will mind in two weeks; nothing: they take it. `needs_trust`: links are said
/// to be verified by certificates; by dialback alone, nobody looks at them.
std::optional<std::string> certificate_fault(const S2sCertificate& certificate,
                                             const std::string& name, bool needs_trust,
                                             base::TimePoint now);

}  // namespace app
