#include "smtp-bridge/server/incoming_message.hpp"

#include "base/limits.hpp"

#include <utility>

namespace smtp_bridge {

IncomingMessage::IncomingMessage(queue::Intake& intake, std::size_t max_size,
                                 DataReader::Framing framing)
    : intake_(intake), reader_(max_size, framing) {}

std::size_t IncomingMessage::feed(std::string_view input) {
    const std::size_t used = reader_.feed(input);
    if (reader_.fault() != DataReader::Fault::none) spool_.reset();
    return used;
}

void IncomingMessage::finish() {
    reader_.finish();
    if (reader_.fault() != DataReader::Fault::none) spool_.reset();
}

bool IncomingMessage::is_full() const {
    return reader_.pending() > base::limits::kInlineContent;
}

base::Task<void> IncomingMessage::spill() {
    std::string piece = reader_.take();
    if (failure_ || piece.empty()) co_return;
    if (!spool_) {
        auto spool = co_await intake_.spool();
        if (!spool) {
            failure_ = spool.error();
            co_return;
        }
        spool_ = std::move(*spool);
    }
    const std::size_t size = piece.size();
    const auto written = co_await spool_->append(std::move(piece));
    if (written) {
        reader_.reserve(size);  // the next piece will be as large
    } else {
        failure_ = written.error();
        spool_.reset();
    }
}

base::Task<base::Result<queue::Content>> IncomingMessage::content() {
    if (!spool_ && !failure_) co_return queue::Content(mail::Content(reader_.take()));
    co_await spill();
    if (failure_) co_return *failure_;
    auto content = co_await spool_->content();
    co_return content;
}

std::optional<queue::QueueId> IncomingMessage::file() const {
    if (!spool_) return std::nullopt;
    return spool_->file();
}

}  // namespace smtp_bridge
