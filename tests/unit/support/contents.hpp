// Contents as the queue has large ones: not in memory, and read in ranges, of which any may fail.
#pragma once

#include "queue/content.hpp"
#include "support/fakes.hpp"

#include <algorithm>
#include <climits>
#include <memory>
#include <string>

namespace support {

/// A content on a disk that fails from the `good`-th range on.
class SlowContent final : public queue::ContentSource {
  public:
    explicit SlowContent(std::string bytes, int good = INT_MAX,
                         base::Errc fault = base::Errc::storage)
        : bytes_(std::move(bytes)), good_(good), fault_(fault) {}

    base::Task<base::Result<std::string>> read(std::size_t offset, std::size_t size) override {
        const auto executor = co_await base::asio::this_coro::executor;
        co_await base::asio::post(executor, base::asio::use_awaitable);
        largest = std::max(largest, size);
        if (reads++ >= good_) co_return base::fail(fault_, "content 1 can't be read");
        co_return bytes_.substr(offset, size);
    }
    /// Another disk.
    void mend() { good_ = INT_MAX; }

    int reads = 0;
    std::size_t largest = 0;

  private:
    std::string bytes_;
    int good_;
    base::Errc fault_;
};

inline queue::Content slow(std::string bytes, int good = INT_MAX,
                           base::Errc fault = base::Errc::storage) {
    const std::size_t size = bytes.size();
    return queue::Content(std::make_shared<SlowContent>(std::move(bytes), good, fault), size);
}

/// Its bytes; an error's text if they can't be read.
inline std::string all_of(const queue::Content& content) {
    // It outlives the thread that reads, which may still be on its way out of the last post.
    static boost::asio::io_context io;
    return run<std::string>(io, [&]() -> base::Task<std::string> {
        const auto bytes = co_await content.read(0, content.size());
        co_return bytes ? std::string(bytes->bytes()) : bytes.error().text;
    });
}

}  // namespace support
