#include "base/async.hpp"

#include "base/log.hpp"

#include <cstdlib>
#include <stdexcept>

#include <spdlog/spdlog.h>

namespace base {

void spawn(const asio::any_io_executor& executor, std::string name,
           std::function<Task<void>()> body) {
    // The function object is kept alive by the completion handler: a coroutine lambda uses its
    // captures for as long as it runs.
    auto kept = std::make_shared<std::function<Task<void>()>>(std::move(body));
    asio::co_spawn(
        executor, [kept]() -> Task<void> { return (*kept)(); },
        [kept, name = std::move(name)](const std::exception_ptr& error) {
            if (!error) return;
            try {
                std::rethrow_exception(error);
            } catch (const std::exception& e) {
                log::Line("panic").with("task", name).with("why", e.what()).error();
            } catch (...) {
                log::Line("panic").with("task", name).with("why", "unknown exception").error();
            }
            spdlog::shutdown();
            std::abort();
        });
}

Task<bool> sleep_for(std::chrono::milliseconds duration) {
    auto executor = co_await asio::this_coro::executor;
    Timer timer(executor);
    const bool passed = co_await timer.wait(duration);
    co_return passed;
}

Deadline::Deadline(const asio::any_io_executor& executor, std::function<void()> expire)
    : state_(std::make_shared<State>(executor)) {
    state_->expire = std::move(expire);
}

Deadline::~Deadline() {
    disarm();
}

void Deadline::arm(std::chrono::milliseconds limit) {
    const std::uint64_t generation = ++state_->generation;
    // The deadline may be gone by then, and its state with it, as that owns the timer.
    state_->timer.start(limit, [weak = std::weak_ptr<State>(state_), generation] {
        const auto state = weak.lock();
        // A handler that was already queued when the timer was re-armed must not fire.
        if (!state || generation != state->generation) return;
        state->expired = true;
        state->expire();
    });
}

void Deadline::disarm() {
    ++state_->generation;
    state_->timer.cancel();
}

void Signal::notify() {
    notified_ = true;
    if (waiting_) timer_.cancel();
}

Task<bool> Signal::wait(std::chrono::milliseconds limit) {
    // The timer would end the first one's wait, and that one's next would end this: for ever.
    if (waiting_) throw std::logic_error("two wait for one signal");
    if (!notified_) {
        waiting_ = true;
        co_await timer_.wait(limit);
        waiting_ = false;
    }
    co_return std::exchange(notified_, false);
}

}  // namespace base
