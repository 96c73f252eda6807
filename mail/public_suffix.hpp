// The Public Suffix List: where the names of one organisation end and those of everybody begin
// (`co.uk`, `github.io`; a single label that the list does not know, too). Pure; the list is the
// newer of the library's and the system's, read once.
#pragma once

#include "mail/domain.hpp"

#include <string>

namespace mail {

/// The domain below the public suffix: `example.co.uk` for `a.b.example.co.uk`; the domain itself
/// if it is a public suffix, or an address literal. (RFC 7489 3.2.)
Domain organizational_domain(const Domain& domain);

/// The same of a name that need not be a host name, as a JID's domainpart (RFC 7622): in lower
/// case; empty if there is no such domain.
std::string registrable_domain(const std::string& name);

/// `domain` is below `parent`, and of the same organisation: only then may `parent` speak for it.
/// Who is below a public suffix belongs to somebody else.
bool is_own_subdomain(const Domain& domain, const Domain& parent);

}  // namespace mail
