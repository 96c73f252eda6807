#include "app/daemon/watchdog.hpp"

namespace app {

base::Task<void> Watchdog::go_on() {
    while (!stopping_) {
        // It waits its turn behind all that mail asks for, and looks at no row.
        queue::FindTransfers nothing;
        const auto answer = co_await storage_.read(std::move(nothing));
        static_cast<void>(answer);  // an error is an answer, too
        if (stopping_) co_return;
        tell_();
        co_await stopping_signal_.wait(pause_);
    }
}

void Watchdog::stop() {
    stopping_ = true;
    stopping_signal_.notify();
}

}  // namespace app
