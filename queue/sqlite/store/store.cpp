#include "queue/sqlite/store/store.hpp"

#include "base/limits.hpp"
#include "queue/disk/synced.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/store/damage.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <fmt/format.h>
#include <sys/statvfs.h>

namespace queue {
namespace {

constexpr std::size_t kDestinationsRemembered =
    10000;  // beyond it the map is rebuilt from the table
// How often what is known of the clock is written down: no more than an idle disk can bear.
constexpr auto kKeepClock = std::chrono::minutes(10);
constexpr std::size_t kTransferTime = 12;  // hex digits of a transfer id that are its time
// Messages on damaged pages that are passed over: those of some hundred pages.
constexpr std::size_t kUnreadable = 10000;

}  // namespace

Store::Store(StoreSettings settings, Router router, const base::Clock& clock, base::Random& random,
             DirectoryLock lock, ContentFiles files, ContentFiles spool)
    : settings_(std::move(settings)),
      router_(std::move(router)),
      clock_(clock),
      opened_at_(clock.steady()),
      random_(random),
      lock_(std::move(lock)),
      files_(std::move(files)),
      spool_(std::move(spool)),
      peer_load_(settings_.peer_quota),
      lists_(std::make_shared<PeerLists>(clock)) {}

base::Result<std::unique_ptr<Store>> Store::open(StoreSettings settings, Router router,
                                                 const base::Clock& clock, base::Random& random) {
    const auto directory = settings.directory;
    if (auto made = make_folder(directory); !made) return made.error();
    auto lock = DirectoryLock::take(directory);
    if (!lock) return lock.error();
    if (is_damage_noted(directory))
        return base::fail(base::Errc::damaged, "the last run met damage in the database");
    // Before anything else is made there: what is no queue of ours is left as it is.
    auto database = Database::open(directory / "queue.db");
    if (!database) return database.error();
    auto files = ContentFiles::open(directory / "content");
    if (!files) return files.error();
    auto spool = ContentFiles::open(directory / "spool");
    if (!spool) return spool.error();
    std::unique_ptr<Store> store(new Store(std::move(settings), std::move(router), clock, random,
                                           std::move(*lock), std::move(*files), std::move(*spool)));
    store->database_ = std::move(*database);
    store->trust_ = std::make_shared<base::ClockTrust>(clock, store->read_clock());
    store->read_last_ids();
    return store;
}

void Store::read_last_ids() {
    {
        Query last = database_->query(
            "SELECT MAX(COALESCE((SELECT MAX(id) FROM message), 0),"
            " COALESCE((SELECT MAX(file) FROM partial), 0))"_sql);
        last.step();
        if (!last.is_null(0)) last_id_ = QueueId{last.integer(0)};
    }
    Query last = database_->query("SELECT MAX(id) FROM transfer"_sql);
    if (!last.step() || last.is_null(0)) return;
    const std::string id = last.text(0).substr(0, kTransferTime);
    std::int64_t time = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), time, 16);
    if (error == std::errc() && end == id.data() + kTransferTime) last_transfer_ = time;
}

std::optional<base::TimePoint> Store::read_clock() {
    {
        Query known = database_->query("SELECT believed_at, forget_from FROM clock"_sql);
        if (known.step()) {
            forget_from_ = from_millis(known.integer(1));
            return from_millis(known.integer(0));
        }
    }
    // The database is new, or of an older version.
    std::optional<base::TimePoint> newest;
    // The row that came last, and not the latest time of all: what a clock has written that was
    // ahead once must not stand in the way for ever.
    for (const Sql sql : {"SELECT received_at FROM message ORDER BY id DESC LIMIT 1"_sql,
                          "SELECT at FROM event ORDER BY id DESC LIMIT 1"_sql,
                          "SELECT created_at FROM transfer ORDER BY number DESC LIMIT 1"_sql}) {
        Query last = database_->query(sql);
        if (!last.step()) continue;
        const base::TimePoint time = from_millis(last.integer(0));
        newest = std::max(newest.value_or(time), time);
    }
    return newest;
}

bool Store::may_end_by_time() {
    const auto state = trust_->look();
    if (std::exchange(clock_accepted_, state.times_accepted) != state.times_accepted) {
        // Verdicts were given by another clock, for transfers that end within the retention.
        forget_from_ = now() + base::limits::kRetention + base::limits::kVerdictGrace;
        clock_kept_ = {};
    }
    if (std::exchange(clock_is_believed_, state.plausible()) != state.plausible()) {
        state.plausible() ? log::clock_believed() : log::clock_doubted(state, clock_);
    }
    return state.plausible();
}

void Store::keep_clock() {
    const Moment current = moment();
    if (!current.is_believed || current.age_of(clock_kept_) < kKeepClock) return;
    clock_kept_ = now();
    Query keep = database_->query(
        "INSERT INTO clock (id, believed_at, forget_from) VALUES (1, ?1, ?2)"
        " ON CONFLICT (id) DO UPDATE SET believed_at = ?1, forget_from = ?2"_sql);
    keep.bind(to_millis(clock_kept_), to_millis(forget_from_)).run();
}

QueueId Store::next_id() {
    const auto micros = std::chrono::microseconds(now().time_since_epoch()).count();
    last_id_.value = std::max<std::int64_t>(micros, last_id_.value + 1);
    return last_id_;
}

std::string Store::next_transfer_id() {
    std::array<std::uint8_t, 16> bytes{};
    random_.fill(bytes);
    last_transfer_ = std::max(to_millis(now()), last_transfer_ + 1);
    std::string id = fmt::format("{:0{}x}", last_transfer_, kTransferTime);
    for (const auto byte : bytes)
        id += fmt::format("{:02x}", byte);
    return id;
}

std::int64_t Store::number_of(const Destination& destination) {
    if (const auto known = destinations_.find(destination); known != destinations_.end())
        return known->second;
    const auto lane = static_cast<int>(destination.lane);
    {
        Query add = database_->query(
            "INSERT OR IGNORE INTO destination (lane, component, domain) VALUES (?1, ?2, ?3)"_sql);
        add.bind(lane, destination.component, destination.domain).run();
    }
    Query find = database_->query(
        "SELECT id FROM destination WHERE lane = ?1 AND component = ?2 AND domain = ?3"_sql);
    find.bind(lane, destination.component, destination.domain).step();
    const std::int64_t number = find.integer(0);
    // Remembered only once it is on the disk: a roll-back takes the row away again.
    after_commit([this, destination, number] {
        if (destinations_.size() >= kDestinationsRemembered) destinations_.clear();
        destinations_[destination] = number;
    });
    return number;
}

Destination Store::destination(std::int64_t number) {
    Query find =
        database_->query("SELECT lane, component, domain FROM destination WHERE id = ?1"_sql);
    find.bind(number).step();
    return {static_cast<Lane>(find.integer(0)), find.text(1), find.text(2)};
}

void Store::note_damage(const std::string& why) {
    if (std::exchange(damage_noted_, true)) return;
    log::database_damaged(why);
    if (const auto noted = queue::note_damage(settings_.directory); !noted)
        log::storage_failed("note of damage", noted.error().text);
}

bool Store::note_unreadable(QueueId message) {
    return unreadable_.size() < kUnreadable && unreadable_.insert(message).second;
}

base::Result<void> Store::check_space(std::size_t bytes) const {
    struct statvfs facts {};
    if (::statvfs(settings_.directory.c_str(), &facts) != 0)
        return base::fail(base::Errc::storage,
                          settings_.directory.string() + ": " + std::strerror(errno));
    const std::uintmax_t free = std::uintmax_t{facts.f_bavail} * facts.f_frsize;
    if (free < settings_.disk_reserve + bytes)
        return base::fail(base::Errc::storage, settings_.directory.string() + ": the disk is full");
    return {};
}

void Store::run_actions() {
    for (const Action& action : std::exchange(actions_, {})) {
        if (action.committed) action.committed();
    }
}

void Store::drop_actions(std::size_t from) {
    while (actions_.size() > from) {
        const Action action = std::move(actions_.back());
        actions_.pop_back();
        if (action.undone) action.undone();
    }
}

}  // namespace queue
