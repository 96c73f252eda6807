// look_at_own(): what other domains find when they ask about one of ours.
//
// It asks as they do, and remembers nothing: a domain of ours is no peer's. Bounded as a survey.
#pragma once

#include "component/discovery/survey.hpp"

#include <string>
#include <vector>

namespace component {

struct OwnDomain {
    /// What is wrong with it, if anything: each has another cure.
    enum class Fault {
        none,
        no_server,    ///< the DNS knows no XMPP server of it
        unknown,      ///< the DNS does not answer, or no component of ours is there to ask
        unreachable,  ///< its XMPP server does not answer for it: it may not know the domain
        unlisted,     ///< nothing of what it lists or names takes its mail
        other,        ///< a component that is not the one that serves it, which is not believed
    };
    Fault fault = Fault::none;
    std::string component;           ///< that others send its mail to; empty: none
    std::string why;                 ///< one line
    std::vector<std::string> steps;  ///< each question and its answer, for people
};

/// `component`: ours that serves `domain`; empty: none does, so that `other` or `unlisted` is no
/// surprise.
base::Task<OwnDomain> look_at_own(Link& link, Resolver& resolver, mail::Domain domain,
                                  std::string component);

}  // namespace component
