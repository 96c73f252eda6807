// Reader: a thread with a read-only connection of its own, for what people ask.
//
// It sees a snapshot while the storage thread goes on writing, so that no question, however long it
// takes, delays mail. Questions wait in a bounded line. Owns the thread and the connection; answers
// come on the event loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "queue/store/database.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace queue {

class Reader {
  public:
    /// `file`: the database, which is open for writing elsewhere in this process.
    Reader(base::asio::any_io_executor loop, std::filesystem::path file);
    /// Answers what has been asked for, and ends the thread.
    ~Reader();

    /// Runs `question` on the thread. An exception is Errc::storage, of that question only;
    /// Errc::busy if too many questions wait.
    template <class T>
    base::Task<base::Result<T>> read(std::function<base::Result<T>(Database&)> question) {
        auto slot = std::make_shared<std::optional<base::Result<T>>>();
        std::function<void(Database&)> work = [slot,
                                               question = std::move(question)](Database& database) {
            slot->emplace(question(database));
        };
        const base::Result<void> done = co_await ask(std::move(work));
        if (!done) co_return done.error();
        co_return std::move(**slot);
    }

  private:
    struct Question {
        std::function<void(Database&)> work;
        std::function<void(base::Result<void>)> answer;
    };

    base::Task<base::Result<void>> ask(std::function<void(Database&)> work);
    bool enqueue(Question question);
    void run();
    base::Result<void> answer_one(const std::function<void(Database&)>& work);

    base::asio::any_io_executor loop_;
    std::filesystem::path file_;
    std::unique_ptr<Database> database_;  ///< opened by the first question; the thread's
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Question> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace queue
