// Timer: what every wait of the program is made with.
//
// Its time is the machine's steady clock. A test may give a loop a time of its own, which goes on
// only when the test says so: then nothing depends on how fast the machine is, and nobody waits.
//
// Tested by tests/unit/base/async_test.cpp.
#pragma once

#include <chrono>
#include <functional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace base {

/// A port: the time of a loop that is not the machine's.
class Waits {
  public:
    virtual ~Waits() = default;
    /// `fire` is called once, on the loop, after `limit` of this time; not after remove().
    virtual void add(const void* whose, std::chrono::milliseconds limit,
                     std::function<void()> fire) = 0;
    virtual void remove(const void* whose) = 0;
};
/// Where a loop has it. A loop without this service, or with none set, has the machine's time.
struct LoopTime : boost::asio::execution_context::service {
    static inline boost::asio::execution_context::id id;
    explicit LoopTime(boost::asio::execution_context& loop) : service(loop) {}
    Waits* waits = nullptr;

  private:
    void shutdown() override {}
};

/// One wait at a time.
class Timer {
  public:
    explicit Timer(const boost::asio::any_io_executor& executor);
    ~Timer();
    /// While nobody waits.
    Timer(Timer&&) = default;
    Timer& operator=(Timer&&) = delete;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// True once `limit` has passed; false if it was cancelled before.
    boost::asio::awaitable<bool> wait(std::chrono::milliseconds limit);
    /// Calls `expire` once `limit` has passed, unless it was cancelled or started again before. In
    /// the turn of the loop in which that is done, it may be called still.
    void start(std::chrono::milliseconds limit, std::function<void()> expire);
    void cancel();

  private:
    Waits* waits() const { return time_ != nullptr ? time_->waits : nullptr; }

    boost::asio::steady_timer timer_;
    LoopTime* time_ = nullptr;
    bool fired_ = false;  ///< by waits()
};

}  // namespace base
