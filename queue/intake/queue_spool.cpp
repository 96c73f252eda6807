#include "queue/intake/queue_spool.hpp"

#include "base/limits.hpp"

namespace queue {
namespace {

/// How much a new file keeps room for. Smaller messages stay in memory.
constexpr std::size_t kFirstRoom = base::limits::kInlineContent;

base::Result<QueueId> create_file(Store& store) {
    if (auto space = store.check_space(kFirstRoom); !space) return space.error();
    const QueueId file = store.next_id();
    if (auto created = store.spool().create(file, kFirstRoom); !created) return created.error();
    store.if_undone([&store, file] { store.spool().remove(file); });
    return file;
}

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
    std::function<base::Result<QueueId>(Store&)> operation = create_file;
    const base::Result<QueueId> file = co_await thread->read<QueueId>(std::move(operation));
    if (!file) co_return file.error();
    std::shared_ptr<Spool> spool = std::make_shared<QueueSpool>(std::move(storage), *file);
    co_return spool;
}

QueueSpool::QueueSpool(std::weak_ptr<StorageThread> storage, QueueId file)
    : storage_(std::move(storage)), file_(file) {}

QueueSpool::~QueueSpool() {
    // Behind whatever was asked for before, an arrival that takes the file included.
    if (StorageThread* const thread = running(storage_))
        thread->later([file = file_](Store& store) { store.spool().remove(file); });
}

base::Task<base::Result<void>> QueueSpool::append(std::string bytes) {
    StorageThread* const thread = running(storage_);
    if (!thread) co_return closed();
    const std::size_t size = bytes.size();
    std::function<base::Result<std::size_t>(Store&)> operation =
        [file = file_, offset = size_,
         bytes = std::move(bytes)](Store& store) -> base::Result<std::size_t> {
        if (auto space = store.check_space(bytes.size()); !space) return space.error();
        // The arrival syncs the whole file.
        auto written = store.spool().put(file, offset, bytes, false);
        if (!written) return written.error();
        return offset + bytes.size();
    };
    const auto end = co_await thread->write<std::size_t>(std::move(operation), size);
    if (!end) co_return end.error();
    size_ = **end;
    co_return base::Result<void>();
}

base::Task<base::Result<Content>> QueueSpool::content() {
    StorageThread* const thread = running(storage_);
    if (!thread) co_return closed();
    std::function<base::Result<Content>(Store&)> operation =
        [file = file_, size = size_](Store& store) -> base::Result<Content> {
        auto opened = store.spool().file(file, size);
        if (!opened) return opened.error();
        return store.content_reader().content(std::move(*opened));
    };
    base::Result<Content> content = co_await thread->read<Content>(std::move(operation));
    co_return content;
}

}  // namespace queue
