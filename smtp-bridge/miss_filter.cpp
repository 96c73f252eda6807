#include "smtp-bridge/miss_filter.hpp"

#include "base/limits.hpp"

namespace smtp_bridge {
namespace {
/// A discovery has ended by then, and what it found is in the table.
constexpr auto kMissTime = base::limits::kDiscoTime;
}  // namespace

bool MissFilter::lets_through(const mail::Domain& domain, TimePoint now) {
    const auto found = recent_.find(domain);
    if (found != recent_.end() && now - found->second < kMissTime) return false;
    if (found == recent_.end() && recent_.size() >= base::limits::kRouteMisses) {
        std::erase_if(recent_, [&](const auto& entry) { return now - entry.second >= kMissTime; });
        if (recent_.size() >= base::limits::kRouteMisses) return false;
    }
    recent_[domain] = now;
    return true;
}

}  // namespace smtp_bridge
