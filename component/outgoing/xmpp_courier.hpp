// XmppCourier: delivers the messages of Lane::xmpp to the component that serves their domain.
//
// The queue's Courier for that lane. Event loop only; owns what it learnt of each peer's patience
// (Flow). It never throws, and every recipient gets an outcome: a verdict of the peer
// settles it; anything else leaves it with the same transfer (the fence, protocol rule 4). A
// message that can't go this way is rerouted only if it was never sent, or if the peer refused it
// explicitly (5.3.4, 5.7.1).
#pragma once

#include "base/clock.hpp"
#include "component/discovery/discovery.hpp"
#include "component/outgoing/flow.hpp"
#include "component/outgoing/put_off_domains.hpp"
#include "component/outgoing/unverified_senders.hpp"
#include "component/protocol/block_codec.hpp"
#include "component/stream/link.hpp"
#include "queue/ports.hpp"

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace component {

struct CourierSettings {
    std::size_t concurrency = 4;  ///< deliver() at the same time, to one destination
    std::chrono::milliseconds answer_time = base::limits::kIqTime;
};

class XmppCourier final : public queue::Courier {
  public:
    /// `links`: our components by their JIDs; they and the rest outlive the courier and its calls.
    XmppCourier(base::asio::any_io_executor executor, std::map<std::string, Link*> links,
                Discovery& discovery, base::Clock& clock, CourierSettings settings = {});
    ~XmppCourier() override;
    XmppCourier(const XmppCourier&) = delete;
    XmppCourier& operator=(const XmppCourier&) = delete;

    base::Task<queue::Readiness> prepare(queue::Destination destination,
                                         queue::Urgency urgency) override;
    queue::LeaseLimits limits(const queue::Destination& destination,
                              const queue::Ready& ready) override;
    base::Task<void> deliver(queue::Destination destination,
                             std::vector<queue::LeasedMessage> messages, queue::Tell tell) override;
    std::size_t concurrency() const override { return settings_.concurrency; }
    /// No message that goes in pieces goes on: the next start takes it up where it was.
    void stop() { stopping_ = true; }
    /// While `why` is not empty, nothing goes this way: what was never sent goes by SMTP, what may
    /// have been is called back first, and what has to go over XMPP waits.
    void pass_by(std::string why) { passed_by_ = std::move(why); }
    /// Whether we have promised that mail of a destination goes this way: it does so also from a
    /// component that is retired. By default, that is promised to none.
    void promised_by(std::function<bool(const queue::Destination&)> is_promised) {
        is_promised_ = std::move(is_promised);
    }
    /// How many peers something is on its way to, or waits for. For tests.
    std::size_t holds() const;

  private:
    Link* link_of(const queue::Destination& destination) const;
    queue::LeaseLimits limits_for(const Link& link, const std::string& peer);
    std::shared_ptr<Flow> flow_to(const std::string& peer);

    base::asio::any_io_executor executor_;
    std::map<std::string, Link*> links_;
    Discovery& discovery_;
    base::Clock& clock_;
    CourierSettings settings_;
    BlockCodec codec_;
    UnverifiedSenders senders_;
    PutOffDomains domains_;
    std::map<std::string, std::shared_ptr<Flow>> flows_;  ///< by peer
    bool stopping_ = false;
    std::string passed_by_;
    std::function<bool(const queue::Destination&)> is_promised_ = [](const queue::Destination&) {
        return false;
    };
};

}  // namespace component
