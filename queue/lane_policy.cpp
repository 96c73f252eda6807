#include "queue/lane_policy.hpp"

namespace queue {

LanePolicy::LanePolicy(LaneRule usual, std::map<mail::Domain, LaneRule> special) : usual_(usual) {
    for (const auto& [domain, rule] : special)
        special_.emplace(domain.ascii(), rule);
}

const LaneRule& LanePolicy::of(std::string_view domain) const {
    const auto found = special_.find(domain);
    return found == special_.end() ? usual_ : found->second;
}

}  // namespace queue
