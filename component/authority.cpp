#include "component/authority.hpp"

#include <algorithm>

namespace component {
namespace {

bool contains(const std::vector<std::string>& list, const std::string& value) {
    return std::ranges::find(list, value) != list.end();
}

/// Named by the domain itself: takes mail unless it retires.
bool takes_mail(const DomainFacts& facts, const std::string& component) {
    const auto form = facts.forms.find(component);
    return form != facts.forms.end() && !form->second.domains.empty();
}

/// A listed child, or the domain itself, that claims the domain in its own form.
bool claims(const mail::Domain& domain, const DomainFacts& facts, const std::string& component) {
    const auto form = facts.forms.find(component);
    return form != facts.forms.end() && form->second.serves(domain);
}

/// `known` if it is one of them; else the first, in the order of their names, so that all peers
/// agree.
std::string choose(std::vector<std::string> components, const std::string& known) {
    if (contains(components, known)) return known;
    std::ranges::sort(components);
    return components.empty() ? std::string() : components.front();
}

}  // namespace

Judgement judge(const mail::Domain& domain, const DomainFacts& facts, const std::string& known) {
    Judgement judgement;
    const auto has_form = [&](const std::string& jid) { return facts.forms.contains(jid); };
    if (facts.named) {
        judgement.speakers = *facts.named;
        std::vector<std::string> takers;
        std::ranges::copy_if(*facts.named, std::back_inserter(takers),
                             [&](const std::string& jid) { return takes_mail(facts, jid); });
        judgement.component = choose(takers, known);
        const bool dropped = !known.empty() && !contains(*facts.named, known);
        const bool empties = has_form(known) && !takes_mail(facts, known);
        judgement.retired = judgement.component.empty() && (dropped || empties);
        return judgement;
    }
    std::vector<std::string> candidates = facts.listed;
    candidates.push_back(domain.ascii());
    std::vector<std::string> claimants;
    std::ranges::copy_if(candidates, std::back_inserter(claimants),
                         [&](const std::string& jid) { return claims(domain, facts, jid); });
    judgement.component = choose(claimants, known);
    // A known component that did not answer keeps its place against a newcomer: it is down, not
    // replaced.
    const bool silent = !known.empty() && contains(facts.listed, known) && !has_form(known);
    if (silent && !judgement.component.empty()) {
        judgement.other_claim = judgement.component;
        judgement.component.clear();
        judgement.speakers.push_back(known);
        return judgement;
    }
    if (!judgement.component.empty()) judgement.speakers.push_back(judgement.component);
    for (const auto& claimant : claimants) {
        if (claimant != judgement.component) judgement.other_claim = claimant;
    }
    judgement.retired =
        judgement.component.empty() && has_form(known) && !claims(domain, facts, known);
    return judgement;
}

}  // namespace component
