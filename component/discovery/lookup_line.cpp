#include "component/discovery/lookup_line.hpp"

#include <chrono>

namespace component {
namespace {

using Cause = LookupShares::Cause;

constexpr auto kLookAgain = std::chrono::hours(1);  // a bound on a wait that always ends earlier

}  // namespace

base::Task<bool> LookupLine::enter(LookupShares::Place place) {
    if (shares_.has_room(place)) {
        shares_.take(place);
        co_return true;
    }
    if (place.cause != Cause::new_mail && place.cause != Cause::waiting_mail) co_return false;
    Waiting waits{place, base::OneShot<bool>(executor_)};
    const auto own = waiting_.insert(waiting_.end(), std::move(waits));
    while (!own->called.is_set())
        co_await own->called.wait(kLookAgain);
    waiting_.erase(own);
    co_return true;
}

void LookupLine::leave(const LookupShares::Place& place) {
    shares_.give_back(place);
    call(Cause::new_mail);
    call(Cause::waiting_mail);
}

void LookupLine::call(Cause cause) {
    for (Waiting& waiting : waiting_) {
        if (waiting.place.cause != cause || waiting.called.is_set()) continue;
        if (!shares_.has_room(waiting.place)) continue;
        shares_.take(waiting.place);
        waiting.called.set(true);
    }
}

}  // namespace component
