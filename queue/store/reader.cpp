#include "queue/store/reader.hpp"

#include "base/thread_name.hpp"
namespace queue {
namespace {

constexpr std::size_t kWaiting = 20;  // questions: people ask them

}  // namespace

Reader::Reader(base::asio::any_io_executor loop, std::filesystem::path file)
    : loop_(std::move(loop)), file_(std::move(file)), thread_([this] { run(); }) {}

Reader::~Reader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    thread_.join();
}

bool Reader::enqueue(Question question) {
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= kWaiting) return false;
        waiting_.push_back(std::move(question));
    }
    arrived_.notify_one();
    return true;
}

base::Task<base::Result<void>> Reader::ask(std::function<void(Database&)> work) {
    auto initiate = [this](auto handler, std::function<void(Database&)> asked) {
        // The handler may only be copied into a std::function by way of a shared_ptr: it is
        // move-only.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        const bool waits = enqueue({std::move(asked), [this, shared](base::Result<void> result) {
                                        base::asio::post(loop_, [shared, result]() mutable {
                                            (*shared)(std::move(result));
                                        });
                                    }});
        if (waits) return;
        base::asio::post(loop_, [shared]() {
            (*shared)(
                base::Result<void>(base::fail(base::Errc::busy, "too many questions at once")));
        });
    };
    base::Result<void> result =
        co_await base::asio::async_initiate<const base::asio::use_awaitable_t<>,
                                            void(base::Result<void>)>(
            initiate, base::asio::use_awaitable, std::move(work));
    co_return result;
}

void Reader::run() {
    base::name_thread("reader");
    for (;;) {
        Question question;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (waiting_.empty()) return;
            question = std::move(waiting_.front());
            waiting_.pop_front();
        }
        base::Result<void> result = answer_one(question.work);
        question.work = nullptr;
        question.answer(std::move(result));
    }
}

base::Result<void> Reader::answer_one(const std::function<void(Database&)>& work) {
    try {
        if (!database_) {
            auto opened = Database::open_for_reading(file_);
            if (!opened) return opened.error();
            database_ = std::move(*opened);
        }
        // One snapshot for all that a question looks at.
        database_->execute("BEGIN");
        work(*database_);
        database_->execute("COMMIT");
        return {};
    } catch (const std::exception& error) {
        // It only looks: whatever went wrong, the queue is as it was, and the daemon goes on.
        database_.reset();
        return base::fail(base::Errc::storage, error.what());
    }
}

}  // namespace queue
