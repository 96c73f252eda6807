// HandOverWatch: sees to it that the daemon does not run with deliver-to and return-to in each
// other's place, which would bounce the mail that comes in.
//
// On the event loop. The mail server may be down when we start: then it is asked again, and nothing
// is refused meanwhile; only a certain finding ends the daemon.
//
// Tested by tests/e2e/test_bad_input.py.
#pragma once

#include "app/config/config.hpp"
#include "base/async.hpp"
#include "base/result.hpp"
#include "smtp-bridge/client/relay_probe.hpp"

#include <functional>

namespace app {

/// The question for the configuration's servers, within `limit`.
base::Task<smtp_bridge::HandOverState> probe_hand_over(const Config& config,
                                                       std::chrono::milliseconds limit);

class HandOverWatch {
  public:
    /// `config` has to outlive it.
    HandOverWatch(const base::asio::any_io_executor& executor, const Config& config)
        : config_(config), stopping_signal_(executor) {}

    /// Asks once, for some seconds at most. Errc::conflict if they are swapped, with both servers
    /// and their words.
    base::Task<base::Result<void>> look();
    /// Asks again until all have answered, or stop(). `give_up` is called with look()'s error.
    base::Task<void> go_on(std::function<void(base::Error)> give_up);
    void stop();

  private:
    const Config& config_;
    base::Signal stopping_signal_;
    bool known_ = false;
    bool stopping_ = false;
};

}  // namespace app
