// Pool: the client connections to one next hop, kept open between mails.
//
// On the event loop. Bounded in number (limits::kSmtpPool) and in idle time (kSmtpIdle); who wants
// one more waits. It remembers for a few seconds that the next hop can't be reached.
#pragma once

#include "base/task_group.hpp"
#include "smtp-bridge/client.hpp"

#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <variant>

namespace smtp_bridge {

struct PoolSettings {
    Target target;
    ClientSettings client;
    std::size_t most = base::limits::kSmtpPool;
    std::chrono::milliseconds idle = base::limits::kSmtpIdle;
};

class Pool {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    Pool(asio::any_io_executor executor, PoolSettings settings);

    /// Exclusive use of one connection; it goes back to the pool in the end, if it is still of use.
    class Lease {
      public:
        Lease(Pool& pool, std::unique_ptr<Client> client)
            : pool_(&pool), client_(std::move(client)) {}
        Lease(Lease&& other) noexcept = default;
        Lease& operator=(Lease&& other) = delete;
        ~Lease() {
            if (client_) pool_->give_back(std::move(client_));
        }
        Client& operator*() const { return *client_; }
        Client* operator->() const { return client_.get(); }

      private:
        Pool* pool_;
        std::unique_ptr<Client> client_;
    };

    enum class Want : std::uint8_t { any, fresh };

    /// A connection, or the 4yz that says why there is none. `fresh`: not a kept one (and the kept
    /// ones are given up, as one of them was stale). Bounded by `until`, if given, and by the
    /// time-outs.
    base::Task<std::variant<Lease, mail::Reply>> take(Want want, std::optional<TimePoint> until);
    /// The refusal of the last attempt to connect, if that was a moment ago.
    std::optional<mail::Reply> recent_failure() const;
    const Target& target() const { return settings_.target; }
    /// Gives what is under way a few seconds, then closes all. Nothing is taken any more.
    base::Task<void> stop();

  private:
    struct Kept {
        std::unique_ptr<Client> client;
        TimePoint since;
    };

    void give_back(std::unique_ptr<Client> client);
    base::Task<bool> wait_for_room(std::optional<TimePoint> until);
    std::unique_ptr<Client> take_kept();
    void retire(std::unique_ptr<Client> client);
    base::Task<void> reap();
    void note(const std::optional<mail::Reply>& trouble);

    asio::any_io_executor executor_;
    PoolSettings settings_;
    std::deque<Kept> kept_;            ///< the most recently used at the back
    std::set<Client*> in_use_;         ///< with those in kept_ at most settings_.most
    std::list<base::Signal> waiting_;  ///< first come, first served
    std::optional<mail::Reply> failure_;
    TimePoint failed_at_;
    base::TaskGroup tasks_;
    base::Signal wake_reaper_;
    bool reaping_ = false;
    bool stopping_ = false;
};

}  // namespace smtp_bridge
