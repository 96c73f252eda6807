#include "queue/intake/queue_spool.hpp"

namespace queue {
namespace {

/// A plain pointer: a coroutine that is never resumed must not make it look alive.
StorageThread* running(const std::weak_ptr<StorageThread>& storage) {
    return storage.lock().get();
}

base::Error closed() {
    return base::fail(base::Errc::storage, "the queue is closed");
}

}  // namespace

base::Task<base::Result<std::shared_ptr<Spool>>> QueueSpool::open(
    std::weak_ptr<StorageThread> storage) {
    StorageThread* const thread = running(storage);
    if (!thread) co_return closed();
    const CreateSpool create;
    const base::Result<QueueId> file = co_await thread->read(create);
    if (!file) co_return file.error();
    std::shared_ptr<Spool> spool = std::make_shared<QueueSpool>(std::move(storage), *file);
    co_return spool;
}

QueueSpool::QueueSpool(std::weak_ptr<StorageThread> storage, QueueId file)
    : storage_(std::move(storage)), file_(file) {}

QueueSpool::~QueueSpool() {
    // Behind whatever was asked for before, an arrival that takes the file included.
    if (StorageThread* const thread = running(storage_)) thread->later(RemoveSpool{file_});
}

base::Task<base::Result<void>> QueueSpool::append(std::string bytes) {
    StorageThread* const thread = running(storage_);
    if (!thread) co_return closed();
    const std::size_t size = bytes.size();
    AppendToSpool append{file_, size_, std::move(bytes)};
    const auto end = co_await thread->write(std::move(append), size);
    if (!end) co_return end.error();
    size_ = **end;
    co_return base::Result<void>();
}

base::Task<base::Result<Content>> QueueSpool::content() {
    StorageThread* const thread = running(storage_);
    if (!thread) co_return closed();
    ReadSpool read{file_, size_};
    base::Result<Content> content = co_await thread->read(std::move(read));
    co_return content;
}

}  // namespace queue
