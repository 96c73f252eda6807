// Turns: lets a few in at once, the others in the order in which they came.
//
// For work that is done in steps by many at once: were all of them in line at the storage thread,
// what comes then would wait for them all. Event loop.
#pragma once

#include "base/async.hpp"

#include <cstddef>
#include <deque>
#include <memory>

namespace queue {

class Turns {
  public:
    /// `most` at once.
    Turns(base::asio::any_io_executor executor, std::size_t most)
        : executor_(std::move(executor)), free_(most) {}

    /// Returns when it is one's turn; leave() has to follow.
    base::Task<void> enter();
    void leave();

  private:
    using Turn = std::shared_ptr<base::OneShot<bool>>;

    base::asio::any_io_executor executor_;
    std::size_t free_;
    std::deque<Turn> waiting_;  ///< one for each task that waits
};

}  // namespace queue
