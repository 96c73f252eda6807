// What every coroutine of the program is written with: Task, spawn, OneShot, sleep and Deadline.
//
// All of it runs on the one event loop. g++ 12 wants care (see CONTRIBUTING.md): one co_await a
// statement, arguments named first, no capturing lambda as a temporary in a co_await expression.
#pragma once

#include "base/timer.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio.hpp>

namespace base {

namespace asio = boost::asio;

template <class T>
using Task = asio::awaitable<T>;

/// For sockets and timers: errors come back as values, never as exceptions.
inline constexpr auto use_result = asio::as_tuple(asio::use_awaitable);

/// Starts `body` on the loop and forgets it. An exception that leaves it is a broken invariant: it
/// is logged with `name`, and the process ends (the queue is made for that).
void spawn(const asio::any_io_executor& executor, std::string name,
           std::function<Task<void>()> body);

/// Waits for `duration`; false if cancelled before that.
Task<bool> sleep_for(std::chrono::milliseconds duration);

/// A value that one coroutine waits for and another sets, once; both on the loop.
template <class T>
class OneShot {
  public:
    explicit OneShot(const asio::any_io_executor& executor) : timer_(executor) {}

    /// The first call counts; later ones are ignored.
    void set(T value) {
        if (value_) return;
        value_.emplace(std::move(value));
        timer_.cancel();
    }
    bool is_set() const { return value_.has_value(); }

    /// The value, or nothing when `limit` has passed first. At most one waiter.
    Task<std::optional<T>> wait(std::chrono::milliseconds limit) {
        if (!value_) co_await timer_.wait(limit);
        co_return std::move(value_);
    }

  private:
    Timer timer_;
    std::optional<T> value_;
};

/// Calls `expire` (which closes or cancels what is waited for) unless destroyed or re-armed in
/// time. The one way in which this program bounds the time of socket operations.
class Deadline {
  public:
    Deadline(const asio::any_io_executor& executor, std::function<void()> expire);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// From now on `limit` is left.
    void arm(std::chrono::milliseconds limit);
    void disarm();
    bool expired() const { return state_->expired; }

  private:
    struct State {
        explicit State(const asio::any_io_executor& executor) : timer(executor) {}
        Timer timer;
        std::function<void()> expire;
        std::uint64_t generation = 0;
        bool expired = false;
    };
    std::shared_ptr<State> state_;
};

/// A place to park until someone calls notify(); a notify before the wait is remembered, once.
class Signal {
  public:
    explicit Signal(const asio::any_io_executor& executor) : timer_(executor) {}
    void notify();
    /// True when notified, false when `limit` has passed. At most one waiter.
    Task<bool> wait(std::chrono::milliseconds limit);

  private:
    Timer timer_;
    bool notified_ = false;
    bool waiting_ = false;
};

}  // namespace base
