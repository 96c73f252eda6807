// WaitingLine: those who wait for something that one after the other gets; first come, first
// served.
//
// Event loop only. Whoever leaves the line, for whatever reason, has the next one look: so a
// wake-up that comes to somebody who does not want it any more is never lost. The places share the
// line's state, and may outlive it.
#pragma once

#include "base/async.hpp"

#include <list>
#include <memory>

namespace smtp_bridge {

class WaitingLine {
    struct State {
        explicit State(base::asio::any_io_executor e) : executor(std::move(e)) {}
        base::asio::any_io_executor executor;
        std::list<base::Signal> places;

        void wake() {
            if (!places.empty()) places.front().notify();
        }
    };

  public:
    explicit WaitingLine(base::asio::any_io_executor executor)
        : state_(std::make_shared<State>(std::move(executor))) {}

    /// Something has changed: the first one looks again.
    void wake() { state_->wake(); }

    /// A place at the end of the line, for as long as this lives.
    class Place {
      public:
        explicit Place(WaitingLine& line)
            : state_(line.state_),
              signal_(state_->places.emplace(state_->places.end(), state_->executor)) {}
        ~Place() {
            state_->places.erase(signal_);
            state_->wake();
        }
        Place(const Place&) = delete;
        Place& operator=(const Place&) = delete;

        bool is_first() const { return signal_ == state_->places.begin(); }
        /// Returns when there may be something to look at, or `limit` has passed.
        base::Task<void> wait(std::chrono::milliseconds limit) const {
            co_await signal_->wait(limit);
        }

      private:
        std::shared_ptr<State> state_;
        std::list<base::Signal>::iterator signal_;
    };

  private:
    std::shared_ptr<State> state_;
};

}  // namespace smtp_bridge
