#include "app/daemon/hand_over_watch.hpp"

#include "app/log.hpp"

#include <algorithm>

namespace app {
namespace {

/// A server on this host answers within milliseconds; our start does not wait for others.
constexpr auto kAtOnce = std::chrono::seconds(5);
constexpr auto kFirstPause = std::chrono::seconds(1);
constexpr auto kLongestPause = std::chrono::minutes(1);

}  // namespace

base::Task<smtp_bridge::HandOverState> probe_hand_over(const Config& config,
                                                       std::chrono::milliseconds limit) {
    std::vector<smtp_bridge::Target> deliver_to;
    for (const auto& [domain, targets] : config.deliver_to)
        deliver_to.insert(deliver_to.end(), targets.begin(), targets.end());
    smtp_bridge::ClientSettings settings{config.hostname, {}, config.client_tls};
    auto state = co_await smtp_bridge::probe_hand_over(std::move(deliver_to), config.return_to,
                                                       std::move(settings), limit);
    co_return state;
}

base::Task<base::Result<void>> HandOverWatch::look() {
    const auto state = co_await probe_hand_over(config_, kAtOnce);
    known_ = state.known;
    if (state.is_swapped()) co_return base::fail(base::Errc::conflict, state.to_text());
    if (known_ && !state.refuses.empty()) log::return_refused(state.to_text());
    co_return base::Result<void>();
}

base::Task<void> HandOverWatch::go_on(std::function<void(base::Error)> give_up) {
    std::chrono::milliseconds pause = kFirstPause;
    while (!known_ && !stopping_) {
        co_await stopping_signal_.wait(pause);
        if (stopping_) break;
        const auto in_place = co_await look();
        if (!in_place) {
            give_up(in_place.error());
            break;
        }
        pause = std::min<std::chrono::milliseconds>(2 * pause, kLongestPause);
    }
}

void HandOverWatch::stop() {
    stopping_ = true;
    stopping_signal_.notify();
}

}  // namespace app
