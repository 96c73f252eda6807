// QueueSpool: the Spool behind QueueIntake, a file in the store's spool folder.
//
// Event loop; the file is written and removed on the storage thread. It owns the file: its
// destructor has it removed. A spool that outlives the intake (with a loop that is destroyed late)
// leaves that to the next start, which sweeps the folder. Fails with Errc::storage.
#pragma once

#include "queue/ledger/storage_thread.hpp"
#include "queue/ports.hpp"

#include <memory>

namespace queue {

class QueueSpool final : public Spool {
  public:
    /// `storage` expires before the thread ends.
    static base::Task<base::Result<std::shared_ptr<Spool>>> open(
        std::weak_ptr<StorageThread> storage);
    /// Takes over the empty file `file`. For open().
    QueueSpool(std::weak_ptr<StorageThread> storage, QueueId file);
    ~QueueSpool() override;
    QueueSpool(const QueueSpool&) = delete;
    QueueSpool& operator=(const QueueSpool&) = delete;

    base::Task<base::Result<void>> append(std::string bytes) override;
    base::Task<base::Result<Content>> content() override;
    QueueId file() const override { return file_; }

  private:
    std::weak_ptr<StorageThread> storage_;
    QueueId file_;
    std::size_t size_ = 0;
};

}  // namespace queue
