#include "component/discovery/authority.hpp"

#include <algorithm>

#include <fmt/format.h>

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

/// Of those that the domain itself names: `known` if it is one of them; else the first, in the
/// order of their names, so that all peers agree.
std::string choose(std::vector<std::string> named, const std::string& known) {
    if (contains(named, known)) return known;
    std::ranges::sort(named);
    return named.empty() ? std::string() : named.front();
}

/// Which of `claimants`, who are listed by the domain or are the domain, is believed.
void believe_one(const mail::Domain& domain, const DomainFacts& facts, const std::string& known,
                 std::vector<std::string> claimants, Judgement& judgement) {
    std::ranges::sort(claimants);
    const bool has_form = facts.forms.contains(known);
    if (contains(claimants, known)) {
        judgement.component = known;
    } else if (contains(claimants, domain.domainpart())) {
        judgement.component = domain.domainpart();  // its own word
    } else if (!known.empty() && !has_form) {
        // It is down, not replaced: also if its server lists it no more, as some do with what is
        // not connected. How long that counts is for Discovery to say.
    } else if (claimants.size() == 1) {
        judgement.component = claimants.front();
        if (claims(domain, facts, known)) judgement.other_claim = known;
    } else {
        // An order of any kind would let a sibling take the domain by its name.
        judgement.rivals = std::move(claimants);
        return;
    }
    if (!judgement.component.empty()) judgement.speakers.push_back(judgement.component);
    for (const auto& claimant : claimants) {
        if (claimant != judgement.component) judgement.other_claim = claimant;
    }
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
    candidates.push_back(domain.domainpart());
    std::vector<std::string> claimants;
    std::ranges::copy_if(candidates, std::back_inserter(claimants),
                         [&](const std::string& jid) { return claims(domain, facts, jid); });
    believe_one(domain, facts, known, std::move(claimants), judgement);
    judgement.retired =
        judgement.component.empty() && has_form(known) && !claims(domain, facts, known);
    return judgement;
}

std::string Judgement::dispute(const mail::Domain& domain) const {
    if (!rivals.empty())
        return fmt::format(
            "{} all claim {}, so none is believed: {} has to name its component in "
            "mail-transfer-addresses",
            fmt::join(rivals, ", "), domain.domainpart(), domain.domainpart());
    if (!other_claim.empty())
        return fmt::format("{} claims {}, too, and is not believed", other_claim,
                           domain.domainpart());
    return {};
}

}  // namespace component
