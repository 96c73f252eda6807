// SlowingCourier: a courier that makes mail of ours wait which goes to a domain that complains of
// its sender (queue/slowed_senders).
//
// In front of the courier of Lane::xmpp. What has been sent before goes on, as its peer may have
// it; so does what is at the end of its time: it is slowed, and not stopped. Event loop.
//
// Tested by tests/unit/queue/delivery/slowing_courier_test.cpp.
#pragma once

#include "queue/ports.hpp"
#include "queue/slowed_senders.hpp"

namespace queue {

class SlowingCourier final : public Courier {
  public:
    /// All have to outlive it.
    SlowingCourier(Courier& courier, SlowedSenders& slowed, const base::Clock& clock)
        : courier_(courier), slowed_(slowed), clock_(clock) {}

    base::Task<Readiness> prepare(Destination destination, Urgency urgency) override;
    LeaseLimits limits(const Destination& destination, const Ready& ready) override;
    base::Task<void> deliver(Destination destination, std::vector<LeasedMessage> messages,
                             Tell tell) override;
    std::size_t concurrency() const override { return courier_.concurrency(); }

  private:
    /// How long it has to wait; zero: it goes.
    std::chrono::milliseconds wait_of(const Destination& destination, const LeasedMessage& message);

    Courier& courier_;
    SlowedSenders& slowed_;
    const base::Clock& clock_;
};

}  // namespace queue
