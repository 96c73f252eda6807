// Settler: writes down what the couriers of a delivery run tell, so that an outcome that can't be
// recorded costs only itself.
//
// What is told while a commit is under way is recorded together with the next, up to a bound. What
// can't be recorded is put aside and tried again by itself; if the storage takes all but that, its
// message goes to quarantine, as mail that was delivered must not go out again. Event loop; is idle
// before it goes.
#pragma once

#include "base/async.hpp"
#include "base/limits.hpp"
#include "base/task_group.hpp"
#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace queue {

class Settler {
  public:
    struct Surroundings {
        StorageThread& storage;
        base::TaskGroup& tasks;
        const bool& stopping;
        std::function<void(const DueNow&)> due_now;  ///< destinations that have got mail
        std::function<void()> idle;                  ///< it has nothing to do any more
        /// Before what was put aside is tried again for the first time; twice as long each time.
        std::chrono::milliseconds pause = base::limits::kSettleAgain;
    };

    explicit Settler(Surroundings around) : around_(std::move(around)) {}
    Settler(const Settler&) = delete;
    Settler& operator=(const Settler&) = delete;
    ~Settler() = default;

    void tell(MessageOutcome outcome);
    /// Outcomes that are not on the disk.
    std::size_t waiting() const { return told_.size() + aside_.size(); }
    bool is_idle() const { return !at_work_ && !tries_again_; }

  private:
    using Outcomes = std::shared_ptr<std::vector<MessageOutcome>>;
    struct Aside {
        Outcomes outcome;  ///< one
        int tries = 0;
    };

    base::Task<void> work();
    base::Task<void> record_all(Outcomes outcomes);
    /// `or_hold`: or else its message goes to quarantine. False if nothing could be written.
    base::Task<bool> record(Outcomes outcomes, bool or_hold);
    base::Task<void> try_again();

    Surroundings around_;
    std::deque<MessageOutcome> told_;
    std::vector<Aside> aside_;
    bool at_work_ = false;
    bool tries_again_ = false;
};

}  // namespace queue
