#include "queue/content.hpp"

#include "mail/header_scanner.hpp"

#include <algorithm>

namespace queue {
namespace {

/// What is read of a header at first; hardly any is longer.
constexpr std::size_t kFirstOfHeader = 64u << 10;

base::Task<base::Result<mail::Content>> read_range(std::shared_ptr<ContentSource> source,
                                                   std::size_t offset, std::size_t size) {
    base::Result<std::string> bytes = co_await source->read(offset, size);
    if (!bytes) co_return bytes.error();
    co_return mail::Content(std::move(*bytes));
}

base::Task<base::Result<mail::Content>> at_hand(mail::Content bytes) {
    co_return bytes;
}

}  // namespace

base::Task<base::Result<mail::Content>> Content::read(std::size_t offset, std::size_t size) const {
    const std::size_t start = std::min(offset, size_);
    const std::size_t length = std::min(size, size_ - start);
    if (is_in_memory() || length == 0) return at_hand(bytes_.slice(start, length));
    return read_range(source_, start, length);
}

base::Task<base::Result<mail::Content>> read_header(Content content, std::size_t offset) {
    for (std::size_t most = kFirstOfHeader;; most *= 2) {
        auto beginning = co_await content.read(offset, most);
        if (!beginning) co_return beginning.error();
        const auto header = mail::header_of(beginning->bytes());
        // The line behind it is whole, so that it is known to be no field.
        const bool ends = beginning->bytes().find('\n', header.size()) != std::string_view::npos ||
                          offset + beginning->size() >= content.size();
        if (ends) co_return beginning->slice(0, header.size());
    }
}

}  // namespace queue
