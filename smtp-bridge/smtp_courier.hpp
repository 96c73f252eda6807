// SmtpCourier: hands mail to our own MTA: into its mailboxes (Lane::local), or to go on by SMTP
// (Lane::relay).
//
// Owns the kept connections to both next hops. On the event loop; whatever goes wrong is an
// outcome.
#pragma once

#include "base/clock.hpp"
#include "queue/ports.hpp"
#include "smtp-bridge/pool.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace smtp_bridge {

struct CourierSettings {
    Target deliver_to;                ///< Lane::local
    std::optional<Target> return_to;  ///< Lane::relay; without it such mail waits
    std::string hostname;             ///< for EHLO, and our authserv-id
    /// Our components, and what the administrator says of the links to their peers: `pkix`,
    /// `dialback` or `none`.
    std::map<std::string, std::string> assurance;
    ClientTimes times;
};

class SmtpCourier final : public queue::Courier {
  public:
    SmtpCourier(asio::any_io_executor executor, CourierSettings settings);

    base::Task<queue::Readiness> prepare(queue::Destination destination) override;
    base::Task<void> deliver(queue::Destination destination,
                             std::vector<queue::LeasedMessage> messages,
                             queue::Tell tell) override;
    std::size_t concurrency() const override;

    /// What is under way gets a few seconds, then its connections are closed. Returns when
    /// deliver() is running nowhere any more.
    base::Task<void> stop();

  private:
    Pool* pool_of(queue::Lane lane) const;
    std::string trace_of(const queue::LeasedMessage& message) const;
    base::Task<queue::MessageOutcome> deliver_one(Pool& pool, queue::Lane lane,
                                                  const queue::LeasedMessage& message);

    CourierSettings settings_;
    std::unique_ptr<Pool> local_;
    std::unique_ptr<Pool> relay_;  ///< nullptr without return_to
    base::TaskGroup tasks_;
};

}  // namespace smtp_bridge
