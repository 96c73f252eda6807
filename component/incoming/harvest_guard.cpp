#include "component/incoming/harvest_guard.hpp"

#include <algorithm>

namespace component {

void HarvestGuard::Allowance::refill(base::SteadyPoint now) {
    const std::chrono::duration<double> passed = now - since;
    const double more = kInMinute * passed.count() / 60;
    left = std::min(kAtOnce - static_cast<double>(asking), left + more);
    since = now;
}

HarvestGuard::Asking HarvestGuard::ask(const std::string& peer, std::size_t recipients,
                                       base::SteadyPoint now) {
    if (peers_.size() >= kPeers && !peers_.contains(peer)) {
        for (auto& [each, allowance] : peers_)
            allowance.refill(now);
        std::erase_if(peers_, [](const auto& item) { return item.second.is_whole(); });
    }
    const bool full = peers_.size() >= kPeers && !peers_.contains(peer);
    Asking asking{full ? std::string() : peer};
    const auto [place, is_new] = peers_.try_emplace(asking.whose);
    Allowance& allowance = place->second;
    if (is_new) allowance.since = now;
    allowance.refill(now);
    asking.may_be_more = allowance.asking > 0;
    asking.recipients = std::min(recipients, static_cast<std::size_t>(allowance.left));
    allowance.asking += asking.recipients;
    allowance.left -= static_cast<double>(asking.recipients);
    return asking;
}

void HarvestGuard::answered(const Asking& asking, std::size_t refused, base::SteadyPoint now) {
    const auto found = peers_.find(asking.whose);
    if (found == peers_.end()) return;
    Allowance& allowance = found->second;
    allowance.refill(now);
    allowance.asking -= asking.recipients;
    allowance.left += static_cast<double>(asking.recipients - std::min(refused, asking.recipients));
    // Who has never been refused anything needs no memory.
    if (allowance.is_whole()) peers_.erase(found);
}

}  // namespace component
