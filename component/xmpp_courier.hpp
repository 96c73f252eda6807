// XmppCourier: delivers the messages of Lane::xmpp to the component that serves their domain.
//
// The queue's Courier for that lane. Event loop only; owns nothing but what it learnt of each
// peer's patience. It never throws, and every recipient gets an outcome: a verdict of the peer
// settles it; anything else leaves it with the same transfer (the fence, protocol rule 4). A
// message that can't go this way is rerouted only if it was never sent, or if the peer refused it
// explicitly (5.3.4, 5.7.1).
#pragma once

#include "base/clock.hpp"
#include "component/block_codec.hpp"
#include "component/discovery.hpp"
#include "component/error_table.hpp"
#include "component/link.hpp"
#include "queue/ports.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace component {

struct CourierSettings {
    std::size_t concurrency = 4;  ///< stanzas in flight to one destination
    std::chrono::milliseconds answer_time = base::limits::kIqTime;
};

class XmppCourier final : public queue::Courier {
  public:
    /// `links`: our components by their JIDs; they and the rest outlive the courier and its calls.
    XmppCourier(std::map<std::string, Link*> links, Discovery& discovery, base::Clock& clock,
                CourierSettings settings = {});
    ~XmppCourier() override;

    base::Task<queue::Readiness> prepare(queue::Destination destination) override;
    base::Task<std::vector<queue::MessageOutcome>> deliver(
        queue::Destination destination, std::vector<queue::LeasedMessage> messages) override;
    std::size_t concurrency() const override { return settings_.concurrency; }

  private:
    Link* link_of(const queue::Destination& destination) const;
    queue::LeaseLimits limits_for(const Link& link, const std::string& peer) const;
    void slow_down(const std::string& peer);
    void speed_up(const std::string& peer);

    std::map<std::string, Link*> links_;
    Discovery& discovery_;
    base::Clock& clock_;
    CourierSettings settings_;
    BlockCodec codec_;
    std::map<std::string, unsigned> halvings_;  ///< by peer: how often a lease's bytes are halved
};

}  // namespace component
