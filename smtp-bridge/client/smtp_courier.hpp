// SmtpCourier: hands mail to our own MTA: into its mailboxes (Lane::local), or to go on by SMTP
// (Lane::relay).
//
// Its links are the Pools', which it shares. On the event loop; whatever goes wrong is an outcome.
//
// Tested by tests/unit/smtp-bridge/client/client_test.cpp and
// tests/unit/smtp-bridge/client/next_hops_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "queue/owner_lookup.hpp"
#include "queue/ports.hpp"
#include "smtp-bridge/client/next_hops.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace smtp_bridge {

/// By domain, in A-labels, the servers that take its mail, the best first; `""` for all others.
using DeliveryTargets = std::map<std::string, std::vector<Target>>;

struct CourierSettings {
    DeliveryTargets deliver_to;     ///< Lane::local
    std::vector<Target> return_to;  ///< Lane::relay; without it such mail waits
    std::string hostname;           ///< ours, in Received
    std::string authserv_id;        ///< ours, in Authentication-Results (RFC 8601 2.5)
    /// Our components, and what the administrator says of the links to their peers: `pkix`,
    /// `dialback` or `none`.
    std::map<std::string, std::string> assurance;
};

class SmtpCourier final : public queue::Courier {
  public:
    /// `pools` and `owners` have to outlive this. Without `owners` the Public Suffix List says
    /// which domains belong together.
    SmtpCourier(asio::any_io_executor executor, Pools& pools, CourierSettings settings,
                queue::OwnerLookup* owners = nullptr);

    base::Task<queue::Readiness> prepare(queue::Destination destination,
                                         queue::Urgency urgency) override;
    base::Task<void> deliver(queue::Destination destination,
                             std::vector<queue::LeasedMessage> messages, queue::Tell tell) override;
    std::size_t concurrency() const override;

    /// Returns when deliver() is running nowhere any more; Pools::stop() ends it.
    base::Task<void> stop();

  private:
    NextHops* hops_of(const queue::Destination& destination) const;
    /// `header`: the message's own. Both have to outlive the call.
    base::Task<std::string> trace_of(const queue::LeasedMessage& message,
                                     std::string_view header) const;
    base::Task<queue::MessageOutcome> deliver_one(NextHops& hops, queue::Lane lane,
                                                  const queue::LeasedMessage& message);

    CourierSettings settings_;
    queue::OwnerLookup* owners_;
    std::map<std::string, std::unique_ptr<NextHops>> local_;  ///< by domain; `""` for all others
    std::unique_ptr<NextHops> relay_;                         ///< nullptr without return_to
    base::TaskGroup tasks_;
};

}  // namespace smtp_bridge
