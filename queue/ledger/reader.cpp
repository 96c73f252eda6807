#include "queue/ledger/reader.hpp"

#include "base/thread_name.hpp"

namespace queue {
namespace {

constexpr std::size_t kWaiting = 20;  // questions: people ask them

}  // namespace

Reader::Reader(base::asio::any_io_executor loop, std::unique_ptr<Questions> questions)
    : loop_(std::move(loop)), questions_(std::move(questions)), thread_([this] { run(); }) {}

Reader::~Reader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

bool Reader::enqueue(Waiting waiting) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= kWaiting) return false;
        waiting_.push_back(std::move(waiting));
    }
    arrived_.notify_one();
    return true;
}

base::Task<base::Result<Reply>> Reader::submit(Question question) {
    auto initiate = [this](auto handler, Question asked) {
        // The handler may only be copied into a std::function by way of a shared_ptr: it is
        // move-only.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        const bool waits =
            enqueue({std::move(asked), [this, shared](base::Result<Reply> reply) {
                         base::asio::post(loop_, [shared, reply = std::move(reply)]() mutable {
                             (*shared)(std::move(reply));
                         });
                     }});
        if (waits) return;
        base::asio::post(loop_, [shared]() {
            (*shared)(
                base::Result<Reply>(base::fail(base::Errc::busy, "too many questions at once")));
        });
    };
    base::Result<Reply> reply =
        co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>,
                                            void(base::Result<Reply>)>(
            initiate, base::asio::use_awaitable, std::move(question));
    co_return reply;
}

void Reader::run() {
    base::name_thread("reader");
    for (;;) {
        Waiting next;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            next = std::move(waiting_.front());
            waiting_.pop_front();
        }
        next.answer(questions_->answer(next.question));
    }
}

}  // namespace queue
