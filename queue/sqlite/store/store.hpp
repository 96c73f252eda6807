// Store: the durable queue of one daemon: its database, its content files and who reads them, its
// clock and its ids.
//
// What can be done with it stands in files of its own (arrivals, leases, settlement, verdicts,
// history, peers), as functions on a Store. All of them run on the storage thread, inside the
// transaction that SqliteLedger commits; they may throw SQLite::Exception, which that turns
// into Errc::storage.
//
// Tested by tests/unit/queue/sqlite/recovery/opening_test.cpp and tests/unit/queue/clock_test.cpp.
#pragma once

#include "base/clock.hpp"
#include "base/clock_trust.hpp"
#include "base/random.hpp"
#include "queue/destination.hpp"
#include "queue/disk/content_files.hpp"
#include "queue/disk/content_reader.hpp"
#include "queue/disk/directory_lock.hpp"
#include "queue/moment.hpp"
#include "queue/peer_lists.hpp"
#include "queue/queue_id.hpp"
#include "queue/retry_policy.hpp"
#include "queue/sqlite/store/database.hpp"
#include "queue/sqlite/store/peer_load.hpp"
#include "queue/sqlite/store/standing_cache.hpp"
#include "queue/state.hpp"
#include "queue/store_settings.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace queue {

class Store {
  public:
    /// Creates the directory where it is missing, takes its lock, opens and migrates the database;
    /// what else a start has to do is open_queue()'s (queue/sqlite/recovery/opening). Errc::storage
    /// with one clear sentence: unwritable, of a newer version, or in use by another daemon;
    /// Errc::damaged. Throws std::exception where that is met only in reading.
    static base::Result<std::unique_ptr<Store>> open(StoreSettings settings, Router router,
                                                     const base::Clock& clock,
                                                     base::Random& random);
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;
    ~Store() = default;

    Database& database() { return *database_; }
    ContentFiles& files() { return files_; }
    /// Contents that are still arriving.
    ContentFiles& spool() { return spool_; }
    const ContentReader& content_reader() const { return content_reader_; }
    const StoreSettings& settings() const { return settings_; }
    const Router& router() const { return router_; }
    base::TimePoint now() const { return clock_.now(); }
    base::SteadyPoint steady() const { return clock_.steady(); }
    /// What the rules of delivery go by now.
    Moment moment() { return {now(), steady(), opened_at_, may_end_by_time(), settings_.retry}; }
    /// Whether the clock is believed (base/clock_trust.hpp): what cannot be undone, to expire, to
    /// bounce, to warn, to forget, is not done without. Logs when that changes.
    bool may_end_by_time();
    /// The same for the verdicts of transfers, which are forgotten only by a clock that has been
    /// believed since before they were given.
    bool may_forget_verdicts() { return may_end_by_time() && now() >= forget_from_; }
    /// Writes down what the next start has to know of the clock. In a transaction; every minute or
    /// so.
    void keep_clock();
    /// The later one of what the clock shows, and what it would show if it had not jumped: of what
    /// comes, or is to be remembered, while it is behind for a moment, nothing ends too early.
    base::TimePoint latest_now() const {
        return now() + std::max(-trust_->look().by, std::chrono::milliseconds::zero());
    }
    /// Whether it is believed, for whoever is not on the storage thread. It may outlive the store,
    /// but not the clock.
    const std::shared_ptr<base::ClockTrust>& clock_trust() const { return trust_; }
    base::Random& random() { return random_; }
    PeerLoad& peer_load() { return peer_load_; }
    /// Of the peer book (queue/sqlite/store/standings).
    StandingCache& standings() { return standings_; }
    /// What lists say of peers' domains, also for whoever is not on the storage thread. It may
    /// outlive the store, but not the clock.
    const std::shared_ptr<PeerLists>& lists() const { return lists_; }

    /// Later than every id before.
    QueueId next_id();
    /// A fresh transfer id: the time in milliseconds as 12 hex digits, then 128 random bits. Later
    /// than every id before.
    std::string next_transfer_id();
    /// The row of `destination`, made where it is missing.
    std::int64_t number_of(const Destination& destination);
    Destination destination(std::int64_t number);
    /// The database is damaged where something was not read: says so in the log, once, and to the
    /// next start.
    void note_damage(const std::string& why);
    /// `message` is on a damaged page, and not to be read again by this process. False if that was
    /// known, or if there are too many.
    bool note_unreadable(QueueId message);
    bool is_unreadable(QueueId message) const { return unreadable_.contains(message); }
    /// Errc::storage if less than the reserve would be left after `bytes` more.
    base::Result<void> check_space(std::size_t bytes) const;

    /// To be done once the running transaction is on the disk (log lines, removing files); dropped
    /// if it fails.
    void after_commit(std::function<void()> action) { actions_.push_back({std::move(action), {}}); }
    /// To be done if the running transaction is undone: files that its rows were to name.
    void if_undone(std::function<void()> action) { actions_.push_back({{}, std::move(action)}); }
    /// For SqliteLedger: how many wait, and what becomes of them.
    std::size_t actions() const { return actions_.size(); }
    void drop_actions(std::size_t from);
    /// It is not known whether the transaction is on the disk: files that its rows may name stay,
    /// and the next start sweeps away those that they don't.
    void forget_actions() {
        actions_.clear();
        standings_.clear();
    }
    void run_actions();

  private:
    Store(StoreSettings settings, Router router, const base::Clock& clock, base::Random& random,
          DirectoryLock lock, ContentFiles files, ContentFiles spool);
    void read_last_ids();
    /// The newest time that was believed before the start.
    std::optional<base::TimePoint> read_clock();

    StoreSettings settings_;
    Router router_;
    const base::Clock& clock_;
    base::SteadyPoint opened_at_;
    base::Random& random_;
    DirectoryLock lock_;
    ContentFiles files_;
    ContentFiles spool_;
    ContentReader content_reader_;
    std::unique_ptr<Database> database_;
    PeerLoad peer_load_;
    StandingCache standings_;
    std::shared_ptr<PeerLists> lists_;
    std::shared_ptr<base::ClockTrust> trust_;
    bool clock_is_believed_ = true;     ///< as the log has it
    std::uint64_t clock_accepted_ = 0;  ///< times_accepted, as forget_from_ has it
    base::TimePoint forget_from_{};
    base::TimePoint clock_kept_{};  ///< what keep_clock() has written
    QueueId last_id_;
    std::int64_t last_transfer_ = 0;  ///< the time in the last transfer id
    bool damage_noted_ = false;
    std::set<QueueId> unreadable_;  // bounded: what is more ends the process, for a repair
    std::map<Destination, std::int64_t> destinations_;  // bounded: cleared when it grows too large
    struct Action {
        std::function<void()> committed;
        std::function<void()> undone;
    };
    std::vector<Action> actions_;
};

/// Times as the database keeps them.
inline std::int64_t to_millis(base::TimePoint time) {
    return time.time_since_epoch().count();
}
inline base::TimePoint from_millis(std::int64_t millis) {
    return base::TimePoint(std::chrono::milliseconds(millis));
}

}  // namespace queue
