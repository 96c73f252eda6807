// Flow: how much may be on its way to one peer, and how much of it in one stanza.
//
// The window, in bytes of stanzas, starts small and follows what the peer really answers: server's
// default limits let as little as 30 kB/s pass, and some close a link on which an acknowledgement
// is half a minute late. Trouble halves it, at most once for what was on its way together, so that
// no stanza is sent again at a length that may have killed the link. Whoever waits is served in
// order, so that a large message leaves small ones their turn. Event loop only; outlives its
// permits.
#pragma once

#include "base/async.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>

namespace component {

class Flow {
  public:
    explicit Flow(const base::asio::any_io_executor& executor) : executor_(executor) {}
    Flow(const Flow&) = delete;
    Flow& operator=(const Flow&) = delete;
    ~Flow() = default;

    /// The longest payload, in bytes, that should go into one stanza now.
    std::size_t stanza() const { return window_; }
    /// The same for one of many that follow each other.
    std::size_t piece() const;

    /// What one stanza on its way holds; gives it back when destroyed.
    class Permit {
      public:
        explicit Permit(std::shared_ptr<Flow> flow) : flow_(std::move(flow)) {}
        ~Permit();
        Permit(const Permit&) = delete;
        Permit& operator=(const Permit&) = delete;

        /// Waits until a stanza of `bytes`, with `content` bytes of messages in it, may be sent.
        /// `most`: the peer's window, for content. One stanza may go at any time, whatever its
        /// size.
        base::Task<void> acquire(std::size_t bytes, std::size_t content, std::size_t most);
        void answered();
        /// Nothing came back, or the word that it was too much.
        void failed();

      private:
        friend class Flow;
        std::shared_ptr<Flow> flow_;
        std::size_t bytes_ = 0;
        std::size_t content_ = 0;
        std::size_t together_ = 0;  ///< bytes that were on their way when it was sent, its own too
        std::uint64_t epoch_ = 0;
        std::chrono::steady_clock::time_point sent_;
    };
    /// Nobody uses it now.
    bool is_idle() const { return stanzas_ == 0 && waiting_.empty(); }

  private:
    /// In the queue for as long as it lives.
    struct Waiter {
        explicit Waiter(Flow& whose) : flow(whose), turn(whose.executor_) {
            flow.waiting_.push_back(this);
        }
        ~Waiter() { std::erase(flow.waiting_, this); }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        Flow& flow;
        base::Signal turn;
    };
    bool has_room(std::size_t bytes, std::size_t content, std::size_t most) const;
    void wake();

    base::asio::any_io_executor executor_;
    std::size_t window_ = kFirst;
    std::size_t stanzas_ = 0;  ///< on their way
    std::size_t bytes_ = 0;    ///< of them
    std::size_t content_ = 0;  ///< in them
    std::uint64_t epoch_ = 0;  ///< grows with each halving
    std::deque<Waiter*> waiting_;

    static constexpr std::size_t kFirst = 128u << 10;
};

}  // namespace component
