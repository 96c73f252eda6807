#include "base/timer.hpp"

#include <utility>

#include <boost/asio.hpp>

namespace base {

namespace asio = boost::asio;

Timer::Timer(const asio::any_io_executor& executor) : timer_(executor) {
    auto& loop = asio::query(executor, asio::execution::context);
    if (asio::has_service<LoopTime>(loop)) time_ = &asio::use_service<LoopTime>(loop);
}

Timer::~Timer() {
    if (Waits* const other = waits()) other->remove(this);
}

asio::awaitable<bool> Timer::wait(std::chrono::milliseconds limit) {
    if (Waits* const other = waits()) {
        fired_ = false;
        timer_.expires_at(asio::steady_timer::time_point::max());
        other->add(this, limit, [this] {
            fired_ = true;
            timer_.cancel();
        });
        co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (Waits* const still = waits()) still->remove(this);
        co_return fired_;
    }
    timer_.expires_after(limit);
    const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !error;
}

void Timer::start(std::chrono::milliseconds limit, std::function<void()> expire) {
    if (Waits* const other = waits()) return other->add(this, limit, std::move(expire));
    timer_.expires_after(limit);
    timer_.async_wait([expire = std::move(expire)](const boost::system::error_code& error) {
        if (!error) expire();
    });
}

void Timer::cancel() {
    if (Waits* const other = waits()) other->remove(this);
    timer_.cancel();
}

}  // namespace base
