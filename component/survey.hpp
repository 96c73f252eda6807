// Survey: asks the network about one mail domain, once: SRV, server information, items, candidates'
// forms.
//
// A coroutine without state of its own. It takes at most about a minute and a half, asks at most
// limits::kDiscoItems candidates, a few at a time, and never throws.
#pragma once

#include "component/authority.hpp"
#include "component/link.hpp"
#include "component/resolver.hpp"

#include <string>
#include <vector>

namespace component {

struct SurveyResult {
    enum class Kind {
        complete,     ///< `facts` are all that there is
        no_server,    ///< the DNS says that the domain runs no XMPP server
        unreachable,  ///< cannot tell now: the DNS, the domain's server or a candidate did not
                      ///< answer
    };
    Kind kind = Kind::unreachable;
    enum class Stage { dns, domain, candidates };
    Stage stage = Stage::dns;        ///< the last that was asked
    DomainFacts facts;               ///< of `unreachable`, as far as they go
    std::string why;                 ///< one line on what decided it
    std::vector<std::string> steps;  ///< each question and its answer, for people
};

/// `also`: a component that is asked even if it is not listed (the one that served the domain
/// before).
base::Task<SurveyResult> survey(Link& link, Resolver& resolver, mail::Domain domain,
                                std::string also);

}  // namespace component
