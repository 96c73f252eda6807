// OwnerLookup: the port by which it is asked whom mail domains belong to, as the DNS has it
// (RFC 9989 4.10).
//
// Tested by tests/unit/component/discovery/domain_owners_test.cpp and
// tests/unit/smtp-bridge/client/client_test.cpp.
#pragma once

#include "base/async.hpp"
#include "mail/dmarc.hpp"
#include "mail/organisation.hpp"

#include <vector>

namespace queue {

class OwnerLookup {
  public:
    virtual ~OwnerLookup() = default;
    /// One owner for each domain, in order. Never an error, and never long: mail waits for it. What
    /// the DNS does not say within a few seconds, or is not asked as too much is under way, the
    /// Public Suffix List does. `cause`: whose mail it is, and who has to bear it if its look-ups
    /// take long. On the event loop.
    virtual base::Task<std::vector<mail::DomainOwner>> find(std::vector<mail::Domain> domains,
                                                            mail::Organisation cause) = 0;
};

}  // namespace queue
