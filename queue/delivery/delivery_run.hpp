// DeliveryRun: one run over what is due of one destination: leases it, gives it to the courier, and
// settles what becomes of it.
//
// Several deliveries are under way at once, of which large messages get half; each outcome is
// settled as soon as the courier tells it, so that no delivery waits for the slowest one. Event
// loop; owns the deliveries' memory until they are settled.
//
// Tested by tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "base/async.hpp"
#include "base/clock.hpp"
#include "base/task_group.hpp"
#include "queue/delivery/settler.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace queue {

class DeliveryRun {
  public:
    /// What a run uses of its dispatcher, which outlives it.
    struct Surroundings {
        base::asio::any_io_executor executor;
        StorageThread& storage;
        const base::Clock& clock;
        base::TaskGroup& tasks;
        const bool& stopping;
        std::function<void(const DueNow&)> due_now;  ///< destinations that have got mail
        std::function<bool()> is_crowded;            ///< others wait for a place
    };
    struct Findings {
        bool reached = false;            ///< somebody answered
        std::optional<Deferred> missed;  ///< somebody did not: the last such outcome
        bool storage_failed = false;     ///< nothing could be leased
        bool is_silent() const { return missed && !reached; }
    };

    DeliveryRun(Surroundings around, Destination destination, Courier& courier, Ready ready);

    /// Until nothing more is due, and all that was leased is settled.
    base::Task<void> run();
    /// Mail has come, or has become due.
    void more();
    const Findings& findings() const { return findings_; }

  private:
    struct Delivery {
        std::vector<LeasedMessage> messages;
        bool large = false;
    };

    bool has_place(Portion portion) const;
    bool is_worth_a_look(Portion portion) const;
    std::optional<base::SteadyPoint> steady(std::optional<base::TimePoint> due) const;
    /// True if something was leased.
    base::Task<bool> lease_some();
    void start(std::vector<LeasedMessage> messages, Portion portion);
    base::Task<void> deliver(std::shared_ptr<std::vector<LeasedMessage>> messages, Portion portion);
    void settle(MessageOutcome outcome);

    Surroundings around_;
    Destination destination_;
    Courier& courier_;
    Ready ready_;
    base::Signal changed_;  ///< a delivery or the settling has ended, or mail has come
    Findings findings_;
    std::size_t under_way_ = 0;
    std::size_t large_under_way_ = 0;
    std::size_t leases_ = 0;
    /// When the next small and the next large one is due, as far as that was looked at.
    std::optional<base::SteadyPoint> next_small_;
    std::optional<base::SteadyPoint> next_large_;
    Settler settler_;
};

}  // namespace queue
