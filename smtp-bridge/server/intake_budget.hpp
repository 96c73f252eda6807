// IntakeBudget: bounds the memory of all messages that are being received at once, over all
// listeners.
//
// On the event loop. A session that gets none waits, and so does its client, whose socket is not
// read: the bound pushes back instead of failing. A message takes all that it will ever need at
// once, so that none waits for another that waits, too.
#pragma once

#include "base/async.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

#include <chrono>
#include <set>

namespace smtp_bridge {

class IntakeBudget {
  public:
    explicit IntakeBudget(std::size_t limit = base::limits::kIntakeBytes) : limit_(limit) {}

    /// What one message holds; gives it back when destroyed.
    class Hold {
      public:
        Hold(IntakeBudget& budget, const boost::asio::any_io_executor& executor)
            : budget_(budget), signal_(executor) {}
        ~Hold() { release(); }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

        /// Waits until `bytes` may be held, and nothing was before. Errc::busy after `limit`,
        /// Errc::closed when interrupted.
        base::Task<base::Result<void>> take(std::size_t bytes, std::chrono::milliseconds limit);
        void interrupt();
        void release();

      private:
        friend class IntakeBudget;
        IntakeBudget& budget_;
        base::Signal signal_;
        std::size_t bytes_ = 0;
        bool interrupted_ = false;
    };

    std::size_t used() const { return used_; }

  private:
    std::size_t limit_;
    std::size_t used_ = 0;
    std::set<Hold*> waiting_;  ///< at most one for each connection
};

}  // namespace smtp_bridge
