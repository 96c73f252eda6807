#include "queue/delivery/expiry.hpp"

#include "queue/delivery/silence.hpp"

#include <chrono>

namespace queue {
namespace {

/// How long after the start that was. If a clock that was set makes it longer ago than it is, it
/// counts as too early, and the next try decides.
std::chrono::milliseconds after_start(base::TimePoint found, const Moment& moment) {
    return moment.steady - moment.opened_at - moment.age_of(found);
}

}  // namespace

bool was_last_try(const Deferred& why, base::TimePoint found, base::TimePoint expires,
                  const Moment& moment) {
    if (!why.tried || expires > found || !moment.is_believed) return false;
    return !is_silence(why) || after_start(found, moment) >= moment.retry.first;
}

bool ends_with_destination(const Deferred& why, base::TimePoint found, base::TimePoint expires,
                           const Moment& moment) {
    if (why.tried) return was_last_try(why, found, expires, moment);
    const auto most = moment.retry.most;
    return expires + most <= found && after_start(found, moment) >= most && moment.is_believed;
}

}  // namespace queue
