#include "queue/disk/content_reader.hpp"

#include "queue/log.hpp"

namespace queue {
namespace {

namespace asio = base::asio;

/// One that waits for a failing disk does not hold up the other.
constexpr std::size_t kThreads = 2;

using Bytes = base::Result<std::string>;

class Source final : public ContentSource {
  public:
    Source(std::weak_ptr<asio::thread_pool> threads, std::shared_ptr<const ContentFile> file)
        : threads_(std::move(threads)), file_(std::move(file)) {}

    base::Task<Bytes> read(std::size_t offset, std::size_t size) override {
        // A plain pointer: a coroutine that is never resumed must not make them look alive.
        asio::thread_pool* const threads = threads_.lock().get();
        if (threads == nullptr) co_return base::fail(base::Errc::storage, "the queue is closed");
        const std::shared_ptr<const ContentFile> file = file_;
        // The handler may only be copied by way of a shared_ptr: it is move-only.
        auto initiate = [threads, file, offset, size](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            // The loop that asks has something to wait for.
            auto loop = asio::prefer(asio::get_associated_executor(*shared),
                                     asio::execution::outstanding_work.tracked);
            asio::post(*threads, [shared = std::move(shared), loop = std::move(loop), file, offset,
                                  size]() mutable {
                auto bytes = std::make_shared<Bytes>(file->read(offset, size));
                // Where the handler ends: what it holds is the loop's.
                asio::post(loop, [shared = std::move(shared), bytes = std::move(bytes)] {
                    (*shared)(std::move(*bytes));
                });
            });
        };
        Bytes bytes = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Bytes)>(
            initiate, asio::use_awaitable);
        if (!bytes) log::content_unreadable(file->id(), bytes.error().text);
        co_return bytes;
    }

  private:
    std::weak_ptr<asio::thread_pool> threads_;
    std::shared_ptr<const ContentFile> file_;
};

}  // namespace

ContentReader::ContentReader() : threads_(std::make_shared<asio::thread_pool>(kThreads)) {}

ContentReader::~ContentReader() {
    threads_->join();
}

Content ContentReader::content(std::shared_ptr<const ContentFile> file) const {
    const std::size_t size = file->size();
    return Content(std::make_shared<Source>(threads_, std::move(file)), size);
}

}  // namespace queue
