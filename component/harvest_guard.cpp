#include "component/harvest_guard.hpp"

#include <algorithm>

namespace component {

HarvestGuard::Allowance& HarvestGuard::of(const std::string& peer, base::TimePoint now) {
    const auto refill = [&](Allowance& allowance) {
        const std::chrono::duration<double> since = now - allowance.since;
        allowance.left = std::min(kAtOnce, allowance.left + kInMinute * since.count() / 60);
        allowance.since = now;
    };
    if (peers_.size() >= kPeers && !peers_.contains(peer)) {
        for (auto each = peers_.begin(); each != peers_.end();) {
            refill(each->second);
            each = each->second.left >= kAtOnce ? peers_.erase(each) : std::next(each);
        }
    }
    const bool full = peers_.size() >= kPeers && !peers_.contains(peer);
    const auto [place, is_new] = peers_.try_emplace(full ? std::string() : peer);
    if (is_new) place->second.since = now;
    refill(place->second);
    return place->second;
}

bool HarvestGuard::may_ask(const std::string& peer, base::TimePoint now) {
    const auto found = peers_.find(peer);
    // Who has never been refused anything needs no memory.
    if (found == peers_.end() && peers_.size() < kPeers) return true;
    return of(peer, now).left >= 1;
}

void HarvestGuard::refused(const std::string& peer, std::size_t recipients, base::TimePoint now) {
    if (recipients == 0) return;
    Allowance& allowance = of(peer, now);
    allowance.left = std::max(0.0, allowance.left - static_cast<double>(recipients));
}

}  // namespace component
