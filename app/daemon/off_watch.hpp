// OffWatch: the emergency switch of the running daemon (`packetboat off`): turns it, ends it when
// its time has come, and says now and then that it is still off.
//
// On the event loop; as long as the daemon.
//
// Tested by tests/e2e/test_off.py.
#pragma once

#include "base/async.hpp"
#include "queue/peers/off_switch.hpp"

#include <functional>
#include <optional>

namespace app {

class OffWatch {
  public:
    /// `apply` hears whether it is off: at each change, and in load() if it is. All outlive it.
    OffWatch(const base::asio::any_io_executor& executor, queue::StorageThread& storage,
             const base::Clock& clock, base::ClockTrust& trust, std::function<void(bool)> apply)
        : switch_(storage, clock, trust),
          clock_(clock),
          apply_(std::move(apply)),
          changed_(executor) {}

    /// As the last process left it. Errc::storage.
    base::Task<base::Result<void>> load();
    /// Until then, or without an end; may be repeated. Errc::storage.
    base::Task<base::Result<void>> turn_off(std::optional<base::TimePoint> until);
    base::Task<base::Result<void>> turn_on();
    const std::optional<queue::Off>& off() const { return switch_.off(); }

    /// Watches over it until stop().
    base::Task<void> go_on();
    void stop();

  private:
    std::chrono::milliseconds next_look() const;

    queue::OffSwitch switch_;
    const base::Clock& clock_;
    std::function<void(bool)> apply_;
    base::Signal changed_;
    base::SteadyPoint said_{};  ///< that it is off
    bool stopping_ = false;
};

}  // namespace app
