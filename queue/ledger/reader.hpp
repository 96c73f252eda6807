// Reader: a thread that has what people ask answered, so that no question, however long it takes,
// delays mail.
//
// Questions wait in a bounded line. Owns the thread and the Questions; answers come on the event
// loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"
#include "queue/ledger/questions.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace queue {

class Reader {
  public:
    Reader(base::asio::any_io_executor loop, std::unique_ptr<Questions> questions);
    /// Answers what has been asked for, and ends the thread.
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// As Questions::answer() does, on the thread; Errc::busy if too many questions wait.
    template <class Asked>
    base::Task<base::Result<typename Asked::Reply>> ask(Asked asked) {
        Question question = std::move(asked);
        base::Result<Reply> reply = co_await submit(std::move(question));
        if (!reply) co_return reply.error();
        co_return std::get<typename Asked::Reply>(std::move(*reply));
    }

  private:
    struct Waiting {
        Question question;
        std::function<void(base::Result<Reply>)> answer;
    };

    base::Task<base::Result<Reply>> submit(Question question);
    bool enqueue(Waiting waiting);
    void run();

    base::asio::any_io_executor loop_;
    std::unique_ptr<Questions> questions_;  ///< the thread's
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Waiting> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace queue
