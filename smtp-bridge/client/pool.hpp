// Pool: the client connections to one next hop, kept open between mails.
//
// On the event loop. Bounded in number (limits::kSmtpPool) and in idle time (kSmtpIdle); who wants
// one more waits. A server that takes fewer than we want is not down: what it takes is learned
// (LinkLimit), and mail waits for a link in use. One that can't be reached while none is open is
// down: this is remembered, and then only one tries it at a time.
//
// Tested by tests/unit/smtp-bridge/client/next_hops_test.cpp.
#pragma once

#include "base/task_group.hpp"
#include "smtp-bridge/client/client.hpp"
#include "smtp-bridge/client/link_limit.hpp"
#include "smtp-bridge/client/waiting_line.hpp"

#include <deque>
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
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() {
            if (client_) pool_->give_back(std::move(client_));
        }
        Client& operator*() const { return *client_; }
        Client* operator->() const { return client_.get(); }

      private:
        Pool* pool_;
        std::unique_ptr<Client> client_;
    };
    using Taken = std::variant<Lease, mail::Reply>;

    enum class Want : std::uint8_t { any, fresh };
    struct Terms {
        /// `fresh`: not a kept one (and the kept ones are given up, as one of them was stale).
        Want want = Want::any;
        std::optional<TimePoint> until{};  ///< a bound for taking it and for what is done with it
        /// Somebody else can take the mail: no single wait is longer than ClientTimes::patience,
        /// and a server that is silent for so long counts as down.
        bool impatient = false;
    };

    /// A connection, or the 4yz that says why there is none. Bounded by the terms and by the
    /// time-outs.
    base::Task<Taken> take(Terms terms);
    /// The last attempt to reach it failed, and none has succeeded since.
    bool is_down() const { return failure_.has_value(); }
    /// Why it is down, if it was found so a moment ago.
    std::optional<mail::Reply> recent_failure() const;
    /// If it is down, and was not tried for a moment: tries it with a link of our own and an empty
    /// transaction, while mail goes elsewhere.
    void probe();
    const Target& target() const { return settings_.target; }
    /// Gives what is under way a few seconds, then closes all. Nothing is taken any more.
    base::Task<void> stop();

  private:
    struct Kept {
        std::unique_ptr<Client> client;
        TimePoint since;
    };
    /// How an attempt to open a link has ended without one.
    struct Missed {
        mail::Reply why;
        bool again = false;  ///< it is a matter of waiting for a link in use
    };

    void give_back(std::unique_ptr<Client> client);
    base::Task<Taken> wait_for_turn(Terms terms, TimePoint came);
    base::Task<std::optional<Missed>> open(Client& client, Terms terms);
    base::Task<void> run_probe();
    bool may_take();
    std::size_t links() const { return in_use_.size() + kept_.size() + leaving_; }
    Lease lease_kept(const Terms& terms);
    Lease lease_new();
    void retire(std::unique_ptr<Client> client);
    base::Task<void> say_goodbye(std::shared_ptr<Client> client);
    base::Task<void> reap();
    void note(const std::optional<mail::Reply>& trouble);

    asio::any_io_executor executor_;
    PoolSettings settings_;
    LinkLimit limit_;
    std::deque<Kept> kept_;     ///< the most recently used at the back
    std::set<Client*> in_use_;  ///< those that are being opened included
    std::size_t opening_ = 0;   ///< of these
    std::size_t leaving_ = 0;   ///< those that still say good bye: the server counts them, too
    TimePoint closed_at_;       ///< the last of them
    TimePoint returned_at_;     ///< the last one that was given back
    WaitingLine line_;
    std::optional<mail::Reply> failure_;
    TimePoint failed_at_;
    base::TaskGroup tasks_;
    base::Signal wake_reaper_;
    bool reaping_ = false;
    bool stopping_ = false;
};

}  // namespace smtp_bridge
