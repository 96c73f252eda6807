#include "queue/sqlite/intake/spool_files.hpp"

#include "base/limits.hpp"

namespace queue {
namespace {

/// How much a new file keeps room for. Smaller messages stay in memory.
constexpr std::size_t kFirstRoom = base::limits::kInlineContent;

}  // namespace

base::Result<QueueId> create_spool(Store& store) {
    if (auto space = store.check_space(kFirstRoom); !space) return space.error();
    const QueueId file = store.next_id();
    if (auto created = store.spool().create(file, kFirstRoom); !created) return created.error();
    store.if_undone([&store, file] { store.spool().remove(file); });
    return file;
}

base::Result<std::size_t> append_to_spool(Store& store, QueueId file, std::size_t offset,
                                          std::string_view bytes) {
    if (auto space = store.check_space(bytes.size()); !space) return space.error();
    // The arrival syncs the whole file.
    if (auto written = store.spool().put(file, offset, bytes, false); !written)
        return written.error();
    return offset + bytes.size();
}

base::Result<Content> read_spool(Store& store, QueueId file, std::size_t size) {
    auto opened = store.spool().file(file, size);
    if (!opened) return opened.error();
    return store.content_reader().content(std::move(*opened));
}

}  // namespace queue
