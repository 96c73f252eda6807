#include "component/discovery/own_domain.hpp"

#include <algorithm>

namespace component {
namespace {

using Fault = OwnDomain::Fault;

Fault fault_of(const SurveyResult& result, const Judgement& judgement, const mail::Domain& domain,
               const std::string& component) {
    using Stage = SurveyResult::Stage;
    if (result.kind == SurveyResult::Kind::no_server) return Fault::no_server;
    // A domain that is its own component needs nobody's word.
    const bool speaks =
        component == domain.domainpart() ||
        std::ranges::find(judgement.speakers, component) != judgement.speakers.end();
    // Who names several may have another one take the mail.
    if (speaks && !judgement.component.empty()) return Fault::none;
    if (!judgement.component.empty()) return Fault::other;
    if (result.stage == Stage::dns) return Fault::unknown;
    return result.stage == Stage::domain ? Fault::unreachable : Fault::unlisted;
}

}  // namespace

base::Task<OwnDomain> look_at_own(Link& link, Resolver& resolver, mail::Domain domain,
                                  std::string component) {
    const std::string none_before;
    SurveyResult result = co_await survey(link, resolver, domain, none_before);
    const Judgement judgement = judge(domain, result.facts, none_before);
    OwnDomain own;
    own.fault = fault_of(result, judgement, domain, component);
    own.component = judgement.component;
    own.why = judgement.dispute(domain);
    if (own.why.empty()) own.why = result.why;
    own.steps = std::move(result.steps);
    co_return own;
}

}  // namespace component
