#include "queue/expiry.hpp"

#include <algorithm>

namespace queue {

bool was_last_try(const Store& store, const Deferred& why, base::TimePoint found,
                  base::TimePoint expires) {
    if (!why.tried || expires > found) return false;
    const bool silent = !why.settled && why.reply.status.subject == 4;
    return !silent || found >= store.opened_at() + store.settings().retry.first;
}

bool ends_with_destination(const Store& store, const Deferred& why, base::TimePoint found,
                           base::TimePoint expires) {
    if (why.tried) return was_last_try(store, why, found, expires);
    return std::max(expires, store.opened_at()) + store.settings().retry.most <= found;
}

}  // namespace queue
