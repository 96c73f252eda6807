#include "component/discovery/lookup_shares.hpp"

#include "base/limits.hpp"

namespace component {
namespace {

namespace limits = base::limits;

// Of one organisation at once: a host of many domains sends for several, and its servers answer
// within a second unless they mean us ill.
constexpr std::size_t kOfStranger = 8;
constexpr std::size_t kOfCorrespondent = limits::kReceivingBatches;
constexpr std::size_t kOfHint = 2;
constexpr std::size_t kOfOwnMail = 10;
// Of our own mail's: peers that are out take their time, and there may be a hundred thousand of
// them; they leave room for new mail, and new mail for them.
constexpr std::size_t kWaitingMail = limits::kOwnLookups * 3 / 5;
constexpr std::size_t kNewMail = limits::kOwnLookups * 4 / 5;

}  // namespace

bool LookupShares::has_room(const Place& place) const {
    const auto found = taken_.find(place);
    const std::size_t under_way = found == taken_.end() ? 0 : found->second;
    const std::size_t strangers = of(Cause::stranger);
    const std::size_t own = of(Cause::new_mail) + of(Cause::waiting_mail);
    const std::size_t senders = strangers + of(Cause::correspondent);
    switch (place.cause) {
        case Cause::new_mail:
            return under_way < kOfOwnMail && of(place.cause) < kNewMail &&
                   own < limits::kOwnLookups;
        case Cause::waiting_mail:
            return under_way < kOfOwnMail && of(place.cause) < kWaitingMail &&
                   own < limits::kOwnLookups;
        case Cause::hint:
            return under_way < kOfHint && of(Cause::hint) < limits::kHintLookups;
        case Cause::correspondent:
            return under_way < kOfCorrespondent && senders < limits::kSenderLookups;
        case Cause::stranger:
            break;
    }
    const bool crowded = strangers >= limits::kStrangerLookups / 2;
    return under_way < (crowded ? 1 : kOfStranger) && strangers < limits::kStrangerLookups &&
           senders < limits::kSenderLookups;
}

void LookupShares::take(const Place& place) {
    ++by_cause_[static_cast<std::size_t>(place.cause)];
    ++taken_[place];
}

void LookupShares::give_back(const Place& place) {
    --by_cause_[static_cast<std::size_t>(place.cause)];
    const auto found = taken_.find(place);
    if (--found->second == 0) taken_.erase(found);
}

}  // namespace component
