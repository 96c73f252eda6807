// PutOffDomains: of which of the domains that we send for a peer takes no more mail for now.
//
// Of a thousand mails that become due together, one is sent to hear that, and not a thousand. It
// is remembered for moments only, as the peer may think better of it at any time. Pure; event loop;
// bounded; cannot fail.
#pragma once

#include "base/clock.hpp"
#include "component/protocol/failure.hpp"
#include "mail/domain.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace component {

class PutOffDomains {
  public:
    static constexpr std::chrono::seconds kRemembered{2};
    static constexpr std::size_t kMost = 2000;

    /// `peer` has said `why` of mail of `domain`.
    void add(const mail::Domain& domain, const std::string& peer, Failure why,
             base::SteadyPoint now);
    /// What it said a moment ago.
    std::optional<Failure> find(const mail::Domain& domain, const std::string& peer,
                                base::SteadyPoint now) const;
    std::size_t size() const { return said_.size(); }

  private:
    using Key = std::pair<mail::Domain, std::string>;

    std::map<Key, std::pair<base::SteadyPoint, Failure>> said_;
};

}  // namespace component
