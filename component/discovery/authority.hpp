// The authority rule: which components speak for a mail domain, and which of them is sent to
// (protocol).
//
// Pure: facts in, judgement out. Survey gathers the facts, Discovery remembers the judgement.
#pragma once

#include "component/stream/capability.hpp"
#include "mail/domain.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace component {

/// What the network said about a domain D.
struct DomainFacts {
    std::optional<std::vector<std::string>> named;  ///< D's field mail-transfer-addresses
    std::vector<std::string> listed;                ///< items of D that are its subdomains
    std::map<std::string, Capability>
        forms;  ///< of the candidates, D itself included, that have one
};

struct Judgement {
    std::vector<std::string> speakers;  ///< authorised to send in D's name
    std::string component;              ///< that mail for D goes to; empty: none takes any
    bool retired =
        false;  ///< `known` itself says, or is authoritatively said, not to serve D any more
    std::string other_claim;  ///< a second component that claims D, and is not believed
    /// Listed children that claim D while none was known before: nobody is believed.
    std::vector<std::string> rivals;

    /// What an admin has to know of a claim that is not believed; empty if there is none.
    std::string dispute(const mail::Domain& domain) const;
};

/// `known`: the component that served D before; empty if there was none. D equal to a component
/// always speaks for itself, which needs no facts.
Judgement judge(const mail::Domain& domain, const DomainFacts& facts, const std::string& known);

}  // namespace component
