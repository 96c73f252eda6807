#include "component/outgoing/put_off_domains.hpp"

namespace component {

void PutOffDomains::add(const mail::Domain& domain, const std::string& peer, Failure why,
                        base::SteadyPoint now) {
    std::erase_if(said_, [&](const auto& item) { return now - item.second.first >= kRemembered; });
    // Without it, there are more questions.
    if (said_.size() >= kMost) return;
    said_.insert_or_assign({domain, peer}, std::pair(now, std::move(why)));
}

std::optional<Failure> PutOffDomains::find(const mail::Domain& domain, const std::string& peer,
                                           base::SteadyPoint now) const {
    const auto found = said_.find({domain, peer});
    if (found == said_.end() || now - found->second.first >= kRemembered) return std::nullopt;
    return found->second.second;
}

}  // namespace component
