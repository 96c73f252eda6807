// IntakeBudget: bounds the bytes of all messages that are being received at once, over all
// listeners.
//
// On the event loop. A session that gets no more bytes waits, and so does its client, whose socket
// is not read: the bound pushes back instead of failing. So that sessions with half a message each
// can't wait for one another for ever, one of them at a time may go beyond the bound; what is held
// is therefore at most the bound and one message.
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

        /// Waits until `bytes` may be held. Errc::busy after `limit`, Errc::closed when
        /// interrupted.
        base::Task<base::Result<void>> grow_to(std::size_t bytes, std::chrono::milliseconds limit);
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
    bool try_take(Hold& hold, std::size_t bytes);

    std::size_t limit_;
    std::size_t used_ = 0;
    Hold* beyond_ = nullptr;   ///< the one that may go beyond the limit
    std::set<Hold*> waiting_;  ///< at most one for each connection
};

}  // namespace smtp_bridge
