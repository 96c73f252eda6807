// StorageThread: the one thread that touches the store, with group commit.
//
// It takes all requests that arrived during the last fsync, and those that came while it ran them,
// and commits them together, each under a SAVEPOINT of its own, so that one that fails takes no
// other with it; a COMMIT that fails, fails them all. Answers go back to the event loop in one
// batch, after the commit. Work that is long in all comes in steps, which give way to all else:
// they share the commits of what is written meanwhile, and have commits of their own while nothing
// is. Owns the Store.
#pragma once

#include "base/async.hpp"
#include "queue/ports.hpp"
#include "queue/store/checkpointer.hpp"
#include "queue/store/store.hpp"

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
    StorageThread(base::asio::any_io_executor loop, std::unique_ptr<Store> store);
    /// A stop: commits what has been asked for, releases what is leased, and ends the thread.
    ~StorageThread();

    /// `tell` hears, on the loop and once, that the database is damaged where something had to be
    /// read: also if that was before this call. The next start repairs it; nothing else does.
    void on_damage(std::function<void(base::Error)> tell);

    /// Runs `operation` on the storage thread, and answers once what it did is on the disk. An
    /// Error that it returns, or an exception of SQLite (Errc::storage), undoes what it did.
    /// `bytes` is how much content it writes: a commit is bounded. A commit is never cancelled: the
    /// answer always comes. `meanwhile` is called on the loop as soon as the request is on its way:
    /// what is asked for then finds what this one has written, and may share its commit.
    template <class T>
    base::Task<base::Result<Committed<T>>> write(std::function<base::Result<T>(Store&)> operation,
                                                 std::size_t bytes = 0,
                                                 std::function<void()> meanwhile = {}) {
        return request<T>(std::move(operation), Kind::write, bytes, std::move(meanwhile));
    }

    /// The same for what only looks.
    template <class T>
    base::Task<base::Result<T>> read(std::function<base::Result<T>(Store&)> operation) {
        base::Result<Committed<T>> answer =
            co_await request<T>(std::move(operation), Kind::read, 0, {});
        if (!answer) co_return answer.error();
        co_return answer->release();
    }

    /// A step of a work that may have many, such as putting off a million messages. While other
    /// requests write, steps are done for a moment, once in a while, in a commit of those; after a
    /// pause they have commits of their own, of about a millisecond. So mail is not held up by what
    /// is done about other mail.
    template <class T>
    base::Task<base::Result<Committed<T>>> step(std::function<base::Result<T>(Store&)> operation) {
        return request<T>(std::move(operation), Kind::step, 0, {});
    }
    /// The same of what is done about deliveries, of which there may be hundreds at once: these
    /// take turns with all others.
    template <class T>
    base::Task<base::Result<Committed<T>>> delivery_step(
        std::function<base::Result<T>(Store&)> operation) {
        return request<T>(std::move(operation), Kind::delivery_step, 0, {});
    }

    /// Runs `operation` on the storage thread some time; nobody hears of it. For clearing up, by
    /// who can't wait.
    void later(std::function<void(Store&)> operation);

  private:
    enum class Kind : std::uint8_t { read, write, step, delivery_step };
    struct Request {
        std::function<base::Result<void>(Store&)> operation;
        Kind kind = Kind::write;
        std::size_t bytes = 0;
        std::function<void()> meanwhile;
        std::function<void(base::Result<void>)> answer;
    };

    template <class T>
    base::Task<base::Result<Committed<T>>> request(std::function<base::Result<T>(Store&)> operation,
                                                   Kind kind, std::size_t bytes,
                                                   std::function<void()> meanwhile) {
        auto slot = std::make_shared<std::optional<base::Result<T>>>();
        Request request;
        request.kind = kind;
        request.bytes = bytes;
        request.meanwhile = std::move(meanwhile);
        request.operation = [slot,
                             operation = std::move(operation)](Store& store) -> base::Result<void> {
            slot->emplace(operation(store));
            if (!**slot) return (*slot)->error();
            return {};
        };
        const base::Result<void> done = co_await submit(std::move(request));
        if (!done) co_return done.error();
        co_return Committed<T>(std::move(***slot));
    }
    base::Task<base::Result<void>> submit(Request request);
    void enqueue(Request request);
    void work();
    void release();
    std::deque<Request> take();
    /// Adds what waits and has room in the same commit.
    void take_more(std::deque<Request>& taken);
    /// Runs steps, if it is their turn, in a commit that has run these requests since `began`: one
    /// step, if it began with that.
    void run_steps(std::deque<Request>& requests, std::vector<base::Result<void>>& results,
                   std::chrono::steady_clock::time_point began);
    std::optional<Request> take_step(bool gives_way);
    // Both are asked under mutex_.
    std::deque<Request>& line_of(Kind kind);
    bool has_steps() const;
    static bool is_step(const Request& request);
    /// Whether steps may be done in a commit of these requests.
    bool may_share(const std::deque<Request>& requests, std::chrono::steady_clock::time_point now);
    static bool is_write(const std::deque<Request>& requests);
    /// One transaction, to which more requests may be added; the results in order.
    std::vector<base::Result<void>> commit(std::deque<Request>& requests);
    base::Result<void> run_one(Request& request);
    void look_for_damage(const SQLite::Exception& error);

    /// Of the loop.
    struct Damage {
        std::optional<base::Error> met;
        std::function<void(base::Error)> tell;
    };

    base::asio::any_io_executor loop_;
    std::unique_ptr<Store> store_;
    Checkpointer checkpointer_;
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
    bool damage_met_ = false;
    std::thread thread_;
};

}  // namespace queue
