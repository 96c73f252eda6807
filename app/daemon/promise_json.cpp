#include "app/daemon/promise_json.hpp"

namespace app {

namespace json = boost::json;

json::object to_json(const queue::PeerPromise& promise, base::TimePoint now) {
    json::array bound;
    for (const mail::Domain& ours : promise.bound)
        bound.emplace_back(ours.ascii());
    const char* const state = now >= promise.until    ? "over"
                              : !promise.counts       ? "read"
                              : promise.bound.empty() ? "counts"
                                                      : "binds";
    return {{"domain", promise.domain.ascii()},
            {"component", promise.component},
            {"state", state},
            {"until", base::to_datetime(promise.until)},
            {"first_read", base::to_datetime(promise.first_read)},
            {"last_read", base::to_datetime(promise.last_read)},
            {"bound", std::move(bound)}};
}

json::value promise_of(Daemon& daemon, const mail::Domain& domain) {
    const auto* const promise = daemon.promises().book().find(domain);
    if (promise == nullptr) return {};
    return to_json(*promise, daemon.clock_trust().look().corrected(base::SystemClock().now()));
}

}  // namespace app
