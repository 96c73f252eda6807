#include "app/daemon/off_watch.hpp"

#include "app/log.hpp"

#include <algorithm>

namespace app {
namespace {

constexpr auto kSayAgain = std::chrono::hours(1);
// The wall clock may have come to the end meanwhile, or be believed again.
constexpr auto kLookAgain = std::chrono::minutes(1);
constexpr auto kNoHaste = std::chrono::milliseconds(100);  // between tries to end it on a bad disk

}  // namespace

base::Task<base::Result<void>> OffWatch::load() {
    const base::Result<void> loaded = co_await switch_.load();
    if (loaded && off()) apply_(true);
    co_return loaded;
}

base::Task<base::Result<void>> OffWatch::turn_off(std::optional<base::TimePoint> until) {
    const base::Result<void> done = co_await switch_.turn_off(until);
    if (!done) co_return done;
    log::turned_off(off()->until);
    said_ = clock_.steady();
    apply_(true);
    changed_.notify();
    co_return done;
}

base::Task<base::Result<void>> OffWatch::turn_on() {
    if (!off()) co_return base::Result<void>();
    const base::Result<void> done = co_await switch_.turn_on();
    if (!done) co_return done;
    log::turned_on("an administrator");
    apply_(false);
    changed_.notify();
    co_return done;
}

std::chrono::milliseconds OffWatch::next_look() const {
    const auto left = switch_.left();
    return std::clamp<std::chrono::milliseconds>(left.value_or(kLookAgain), kNoHaste, kLookAgain);
}

base::Task<void> OffWatch::go_on() {
    while (!stopping_) {
        if (switch_.is_over()) {
            const base::Result<void> done = co_await switch_.turn_on();
            // The storage's own log line says why not; it is tried again.
            if (done) {
                log::turned_on("its time is over");
                apply_(false);
            }
        } else if (off() && clock_.steady() - said_ >= kSayAgain) {
            said_ = clock_.steady();
            log::is_off(off()->since, off()->until);
        }
        co_await changed_.wait(next_look());
    }
}

void OffWatch::stop() {
    stopping_ = true;
    changed_.notify();
}

}  // namespace app
