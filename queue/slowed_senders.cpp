#include "queue/slowed_senders.hpp"

#include <algorithm>

namespace queue {

void SlowedSenders::use(const std::vector<SenderComplaints>& all) {
    std::map<Key, Entry> slowed;
    for (const SenderComplaints& each : all) {
        const Key key{each.sender, each.domain};
        const auto known = slowed_.find(key);
        slowed[key] = {each.days,
                       known == slowed_.end() ? base::SteadyPoint() : known->second.next};
    }
    slowed_ = std::move(slowed);
}

void SlowedSenders::note(const SenderComplaints& one) {
    const Key key{one.sender, one.domain};
    if (one.days == 0) {
        slowed_.erase(key);
        return;
    }
    if (slowed_.size() >= kMost && !slowed_.contains(key)) return;
    slowed_[key].days = one.days;
}

bool SlowedSenders::is_slowed(const std::string& sender, const std::string& domain) const {
    return slowed_.contains({sender, domain});
}

std::chrono::milliseconds SlowedSenders::take_turn(const std::string& sender,
                                                   const std::string& domain,
                                                   std::size_t recipients) {
    const auto found = slowed_.find({sender, domain});
    if (found == slowed_.end()) return std::chrono::milliseconds::zero();
    Entry& entry = found->second;
    const base::SteadyPoint now = clock_.steady();
    if (entry.next > now) return entry.next - now;
    entry.next = now + pause_after_complaints(entry.days) *
                           static_cast<std::int64_t>(std::max<std::size_t>(recipients, 1));
    return std::chrono::milliseconds::zero();
}

}  // namespace queue
