#include "queue/delivery/expiry.hpp"

#include "queue/delivery/silence.hpp"

#include <chrono>

namespace queue {
namespace {

/// How long after the start that was. If a clock that was set makes it longer ago than it is, it
/// counts as too early, and the next try decides.
std::chrono::milliseconds after_start(const Store& store, base::TimePoint found) {
    return store.steady() - store.opened_at() - store.age_of(found);
}

}  // namespace

bool was_last_try(Store& store, const Deferred& why, base::TimePoint found,
                  base::TimePoint expires) {
    if (!why.tried || expires > found || !store.may_end_by_time()) return false;
    return !is_silence(why) || after_start(store, found) >= store.settings().retry.first;
}

bool ends_with_destination(Store& store, const Deferred& why, base::TimePoint found,
                           base::TimePoint expires) {
    if (why.tried) return was_last_try(store, why, found, expires);
    const auto most = store.settings().retry.most;
    return expires + most <= found && after_start(store, found) >= most && store.may_end_by_time();
}

}  // namespace queue
