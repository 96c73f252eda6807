// Survey: asks the network about one mail domain, once: SRV, server information, items, candidates'
// forms.
//
// A coroutine without state of its own. It takes at most kSurveyTime, asks at most
// limits::kDiscoItems candidates, a few at a time, and never throws.
#pragma once

#include "component/discovery/authority.hpp"
#include "component/discovery/resolver.hpp"
#include "component/stream/link.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace component {

/// All of a survey; what has not been answered by then does not answer. Mail waits for it, and a
/// sender whose claim is verified waits 120 s.
inline constexpr auto kSurveyTime = std::chrono::seconds(90);

struct SurveyResult {
    enum class Kind {
        complete,     ///< `facts` are all that there is
        no_server,    ///< the DNS says that the domain runs no XMPP server
        unreachable,  ///< cannot tell now: the DNS, the domain's server or a candidate did not
                      ///< answer
    };
    Kind kind = Kind::unreachable;
    /// Of `no_server`: a record says so, with the target ".". One may just be missing.
    bool denied = false;
    enum class Stage { dns, domain, candidates };
    Stage stage = Stage::dns;        ///< the last that was asked
    DomainFacts facts;               ///< of `unreachable`, as far as they go
    std::string why;                 ///< one line on what decided it
    std::vector<std::string> steps;  ///< each question and its answer, for people
};

/// `also`: a component that is asked even if it is not listed (the one that served the domain
/// before).
/// `now`: for tests.
using SteadyNow = std::function<std::chrono::steady_clock::time_point()>;
base::Task<SurveyResult> survey(Link& link, Resolver& resolver, mail::Domain domain,
                                std::string also, SteadyNow now = std::chrono::steady_clock::now);

}  // namespace component
