// WatchedCourier: a courier, of whose outcomes those count against our own sender that say that a
// recipient does not exist.
//
// In front of the couriers: what they tell goes on as it is. What a process has seen is forgotten
// with it. Event loop.
#pragma once

#include "queue/ports.hpp"
#include "queue/sender_counts.hpp"

namespace queue {

class WatchedCourier final : public Courier {
  public:
    /// All have to outlive it.
    WatchedCourier(Courier& courier, const Router& router, SenderCounts& senders)
        : courier_(courier), router_(router), senders_(senders) {}

    base::Task<Readiness> prepare(Destination destination, Urgency urgency) override;
    LeaseLimits limits(const Destination& destination, const Ready& ready) override;
    base::Task<void> deliver(Destination destination, std::vector<LeasedMessage> messages,
                             Tell tell) override;
    std::size_t concurrency() const override { return courier_.concurrency(); }

  private:
    Courier& courier_;
    const Router& router_;
    SenderCounts& senders_;
};

}  // namespace queue
