// CertificateWatch: says in the log, once a day, that peers mind a component's certificate, or will
// in two weeks: when it ends, no mail goes over XMPP in either direction.
//
// On the event loop. Who can't be reached is no matter here: the link says so.
//
// Tested by tests/e2e/test_check.py.
#pragma once

#include "app/config/config.hpp"
#include "base/async.hpp"
#include "base/clock.hpp"

namespace app {

class CertificateWatch {
  public:
    /// `config` has to outlive it.
    CertificateWatch(const base::asio::any_io_executor& executor, const Config& config,
                     const base::Clock& clock)
        : config_(config), clock_(clock), stopping_signal_(executor) {}

    /// At once, and then each day until stop().
    base::Task<void> go_on();
    /// Ten seconds may pass until go_on() returns.
    void stop();

  private:
    base::Task<void> look_at(const component::ComponentSettings& component);

    const Config& config_;
    const base::Clock& clock_;
    base::Signal stopping_signal_;
    bool stopping_ = false;
};

}  // namespace app
