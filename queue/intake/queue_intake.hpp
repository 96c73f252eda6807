// QueueIntake: the Intake that both doors use. Bounded in bytes; tells the dispatcher what has
// come. Event loop.
//
// Tested by tests/unit/queue/intake/queue_spool_test.cpp and
// tests/unit/queue/delivery/dispatcher_test.cpp.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

#include <functional>

namespace queue {

class QueueIntake final : public Intake {
  public:
    /// `arrived` is called on the loop for each destination that gets mail, as soon as the mail is
    /// on its way to the disk: who looks for it then finds it, and may lease it with the same
    /// commit.
    QueueIntake(StorageThread& storage, std::function<void(const Destination&)> arrived);

    base::Task<std::vector<base::Result<Committed<Receipt>>>> accept_all(
        std::vector<Arrival> arrivals) override;
    base::Task<base::Result<std::shared_ptr<Spool>>> spool() override;

  private:
    using Answer = base::Result<Committed<Receipt>>;
    base::Task<Answer> accept_one(std::shared_ptr<Arrival> arrival);

    /// Not ours to destroy: shared only so that a spool sees when we, and soon the thread, are
    /// gone.
    std::shared_ptr<StorageThread> storage_;
    std::function<void(const Destination&)> arrived_;
    std::size_t bytes_ = 0;  // in memory, of arrivals on their way to the disk
};

}  // namespace queue
