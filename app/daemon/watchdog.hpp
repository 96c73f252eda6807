// Watchdog: tells who watches us (sd_watchdog_enabled(3)) that the daemon gets on: its loop turns,
// and its storage thread answers, be it that the disk is full. Who hears nothing starts it again.
//
// On the event loop. Outlived by the storage thread.
//
// Tested by tests/unit/app/daemon/watchdog_test.cpp.
#pragma once

#include "base/async.hpp"
#include "queue/ledger/storage_thread.hpp"

#include <chrono>
#include <functional>

namespace app {

class Watchdog {
  public:
    /// `limit`: how long may be between two calls of `tell`; three times as many are made.
    Watchdog(const base::asio::any_io_executor& executor, queue::StorageThread& storage,
             std::chrono::microseconds limit, std::function<void()> tell)
        : storage_(storage),
          pause_(std::chrono::duration_cast<std::chrono::milliseconds>(limit / 3)),
          tell_(std::move(tell)),
          stopping_signal_(executor) {}

    /// Until stop().
    base::Task<void> go_on();
    void stop();

  private:
    queue::StorageThread& storage_;
    std::chrono::milliseconds pause_;
    std::function<void()> tell_;
    base::Signal stopping_signal_;
    bool stopping_ = false;
};

}  // namespace app
