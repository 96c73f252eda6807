// StorageThread: the one thread that touches the ledger, with group commit.
//
// It takes all requests that arrived during the last fsync, and those that came while it ran them,
// and has the ledger commit them together: one that fails takes no other with it; a commit that
// fails, fails them all. Answers go back to the event loop in one batch, after the commit. Work
// that is long in all comes in steps, which give way to all else: they share the commits of what is
// written meanwhile, and have commits of their own while nothing is. Owns the Ledger.
#pragma once

#include "base/async.hpp"
#include "queue/ledger/ledger.hpp"
#include "queue/ports.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace queue {

class StorageThread {
  public:
    StorageThread(base::asio::any_io_executor loop, std::unique_ptr<Ledger> ledger);
    /// A stop: commits what has been asked for, releases what is leased, and ends the thread.
    ~StorageThread();
    StorageThread(const StorageThread&) = delete;
    StorageThread& operator=(const StorageThread&) = delete;

    /// `tell` hears, on the loop and once, that the database is damaged where something had to be
    /// read: also if that was before this call. The next start repairs it; nothing else does.
    void on_damage(std::function<void(base::Error)> tell);

    /// Runs `operation`, and answers once what it did is on the disk. An Error says that it has
    /// done nothing. `bytes` is how much content it writes: a commit is bounded. A commit is never
    /// cancelled: the answer always comes. `meanwhile` is called on the loop as soon as the request
    /// is on its way: what is asked for then finds what this one has written, and may share its
    /// commit.
    template <class Op>
    base::Task<base::Result<Committed<typename Op::Answer>>> write(
        Op operation, std::size_t bytes = 0, std::function<void()> meanwhile = {}) {
        return request(std::move(operation), Kind::write, bytes, std::move(meanwhile));
    }

    /// The same for what only looks.
    template <class Op>
    base::Task<base::Result<typename Op::Answer>> read(Op operation) {
        base::Result<Committed<typename Op::Answer>> answer =
            co_await request(std::move(operation), Kind::read, 0, {});
        if (!answer) co_return answer.error();
        co_return answer->release();
    }

    /// A step of a work that may have many, such as putting off a million messages. While other
    /// requests write, steps are done for a moment, once in a while, in a commit of those; after a
    /// pause they have commits of their own, of about a millisecond. So mail is not held up by what
    /// is done about other mail.
    template <class Op>
    base::Task<base::Result<Committed<typename Op::Answer>>> step(Op operation) {
        return request(std::move(operation), Kind::step, 0, {});
    }
    /// The same of what is done about deliveries, of which there may be hundreds at once: these
    /// take turns with all others.
    template <class Op>
    base::Task<base::Result<Committed<typename Op::Answer>>> delivery_step(Op operation) {
        return request(std::move(operation), Kind::delivery_step, 0, {});
    }

    /// Runs `operation` some time; nobody hears of it. For clearing up, by who can't wait.
    void later(Operation operation);

  private:
    enum class Kind : std::uint8_t { read, write, step, delivery_step };
    struct Request {
        Operation operation;
        Kind kind = Kind::write;
        std::size_t bytes = 0;
        std::function<void()> meanwhile;
        std::function<void(base::Result<Answer>)> answer;
    };
    /// A commit in the making.
    struct Batch;

    template <class Op>
    base::Task<base::Result<Committed<typename Op::Answer>>> request(
        Op operation, Kind kind, std::size_t bytes, std::function<void()> meanwhile) {
        Request request{std::move(operation), kind, bytes, std::move(meanwhile), {}};
        base::Result<Answer> answer = co_await submit(std::move(request));
        if (!answer) co_return answer.error();
        co_return Committed<typename Op::Answer>(std::get<typename Op::Answer>(std::move(*answer)));
    }
    base::Task<base::Result<Answer>> submit(Request request);
    void enqueue(Request request);
    void work();
    std::deque<Request> take();
    /// Adds what waits and has room in the same commit.
    void take_more(std::deque<Request>& taken);
    /// The next request of a commit; nothing: it has all that it is to have.
    const Operation* next(Batch& batch);
    /// A step, if it is their turn.
    std::optional<Request> take_shared_step(Batch& batch);
    std::optional<Request> take_step(bool gives_way);
    // Both are asked under mutex_.
    std::deque<Request>& line_of(Kind kind);
    bool has_steps() const;
    static bool is_step(const Request& request);
    /// Whether steps may be done in a commit of these requests.
    bool may_share(const std::deque<Request>& requests, std::chrono::steady_clock::time_point now);
    static bool is_write(const std::deque<Request>& requests);
    void look_for_damage();

    /// Of the loop.
    struct Damage {
        std::optional<base::Error> met;
        std::function<void(base::Error)> tell;
    };

    base::asio::any_io_executor loop_;
    std::unique_ptr<Ledger> ledger_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Request> waiting_;
    std::deque<Request> steps_;
    std::deque<Request> delivery_steps_;
    std::chrono::steady_clock::time_point steps_since_{};  ///< one at least is waiting
    bool stopping_ = false;
    std::shared_ptr<Damage> damage_ = std::make_shared<Damage>();
    // Of the storage thread:
    std::chrono::steady_clock::time_point last_step_{};
    std::chrono::steady_clock::time_point last_write_{};  // was committed
    bool delivery_is_next_ = false;
    bool damage_is_told_ = false;
    std::thread thread_;
};

}  // namespace queue
