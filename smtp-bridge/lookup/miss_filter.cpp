#include "smtp-bridge/lookup/miss_filter.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace smtp_bridge {
namespace {
/// A discovery has ended by then, and what it found is in the table.
constexpr auto kMissTime = base::limits::kDiscoTime;
// Of limits::kRouteMisses; Postfix asks about senders, too, and who has a domain can write in any
// number of names below it.
constexpr std::ptrdiff_t kOfOrganisation = 5;
}  // namespace

bool MissFilter::lets_through(const mail::Domain& domain, TimePoint now) {
    const auto is_recent = [&](const Miss& miss) { return now - miss.at < kMissTime; };
    const auto found = recent_.find(domain);
    if (found != recent_.end() && is_recent(found->second)) return false;
    const auto whose = mail::Organisation::of(domain.ascii());
    const auto of_same = std::ranges::count_if(recent_, [&](const auto& entry) {
        return entry.second.whose == whose && is_recent(entry.second);
    });
    if (of_same >= kOfOrganisation) return false;
    if (found == recent_.end() && recent_.size() >= base::limits::kRouteMisses) {
        std::erase_if(recent_, [&](const auto& entry) { return !is_recent(entry.second); });
        if (recent_.size() >= base::limits::kRouteMisses) return false;
    }
    recent_.insert_or_assign(domain, Miss{whose, now});
    return true;
}

}  // namespace smtp_bridge
