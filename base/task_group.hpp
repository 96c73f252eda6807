// TaskGroup: counts the coroutines that use an object, so that the object's stop() can wait for
// them.
//
// Event loop only. It owns nothing but the count, which the coroutines share: a group that is
// destroyed early (with its loop) leaves no dangling pointer of its own. An exception in a task is
// a broken invariant (base::spawn).
#pragma once

#include "base/async.hpp"

#include <functional>
#include <memory>
#include <string>

namespace base {

class TaskGroup {
    struct State {
        explicit State(const asio::any_io_executor& executor) : ended(executor) {}
        Signal ended;
        std::size_t running = 0;
    };

  public:
    explicit TaskGroup(const asio::any_io_executor& executor)
        : executor_(executor), state_(std::make_shared<State>(executor)) {}

    /// As base::spawn, but counted. What `body` captures lives until it has ended.
    void spawn(std::string name, std::function<Task<void>()> body);
    /// Returns when none is left. At most one waiter.
    Task<void> join();
    std::size_t running() const { return state_->running; }

    /// Counts a coroutine that somebody else started, for as long as this lives.
    class Member {
      public:
        explicit Member(TaskGroup& group) : state_(group.state_) { ++state_->running; }
        ~Member() {
            if (--state_->running == 0) state_->ended.notify();
        }
        Member(const Member&) = delete;
        Member& operator=(const Member&) = delete;

      private:
        std::shared_ptr<State> state_;
    };

  private:
    asio::any_io_executor executor_;
    std::shared_ptr<State> state_;
};

/// Runs work(0) to work(count - 1), at most `at_once` of them at a time; returns when all have
/// ended.
Task<void> for_each(std::size_t count, std::size_t at_once,
                    std::function<Task<void>(std::size_t)> work);

}  // namespace base
