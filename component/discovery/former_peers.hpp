// FormerPeers: which component took the mail of a domain that takes none any more.
//
// A peer that retired is nobody's component, and says so itself when it is back: without this it
// would be a stranger then, and its domain would go by SMTP for as long as a negative answer holds.
// In memory only: a restart forgets negative answers, too. Bounded, the oldest goes; pure; event
// loop; cannot fail.
#pragma once

#include "base/clock.hpp"
#include "mail/domain.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace component {

class FormerPeers {
  public:
    /// `component` does not take the mail of `domain` any more.
    void left(const std::string& component, const mail::Domain& domain, base::SteadyPoint now);
    /// `domain` has a component.
    void returned(const mail::Domain& domain);

    bool knows(const std::string& component) const { return domains_.contains(component); }
    /// Those whose mail it took last, by name.
    std::vector<mail::Domain> domains_of(const std::string& component) const;

    std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        std::string component;
        base::SteadyPoint since{};
    };

    std::map<mail::Domain, Entry> entries_;
    std::set<std::pair<base::SteadyPoint, mail::Domain>> by_age_;
    std::map<std::string, std::set<mail::Domain>> domains_;  ///< by component
};

}  // namespace component
