#include "queue/store.hpp"

#include "queue/crashes.hpp"
#include "queue/log.hpp"
#include "queue/synced.hpp"
#include "queue/verdicts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <sys/statvfs.h>

namespace queue {
namespace {

constexpr std::size_t kDestinationsRemembered =
    10000;  // beyond it the map is rebuilt from the table

}  // namespace

const char* to_text(State state) {
    switch (state) {
        case State::queued:
            return "queued";
        case State::leased:
            return "leased";
        case State::deferred:
            return "deferred";
        case State::held:
            return "held";
        case State::delivered:
            return "delivered";
        case State::relayed:
            return "relayed";
        case State::bounced:
            return "bounced";
        case State::expired:
            return "expired";
        case State::discarded:
            return "discarded";
    }
    return "unknown";
}

Store::Store(StoreSettings settings, Router router, const base::Clock& clock, base::Random& random,
             DirectoryLock lock, ContentFiles files, ContentFiles spool)
    : settings_(std::move(settings)),
      router_(std::move(router)),
      clock_(clock),
      opened_at_(clock.now()),
      random_(random),
      lock_(std::move(lock)),
      files_(std::move(files)),
      spool_(std::move(spool)),
      peer_load_(settings_.peer_quota) {}

base::Result<std::unique_ptr<Store>> Store::open(StoreSettings settings, Router router,
                                                 const base::Clock& clock, base::Random& random) {
    const auto directory = settings.directory;
    try {
        if (auto made = make_folder(directory); !made) return made.error();
        auto lock = DirectoryLock::take(directory);
        if (!lock) return lock.error();
        // Before anything else is made there: what is no queue of ours is left as it is.
        auto database = Database::open(directory / "queue.db");
        if (!database) return database.error();
        auto files = ContentFiles::open(directory / "content");
        if (!files) return files.error();
        auto spool = ContentFiles::open(directory / "spool");
        if (!spool) return spool.error();
        std::unique_ptr<Store> store(new Store(std::move(settings), std::move(router), clock,
                                               random, std::move(*lock), std::move(*files),
                                               std::move(*spool)));
        store->database_ = std::move(*database);
        if (auto recovered = store->recover(); !recovered) return recovered.error();
        return store;
    } catch (const std::exception& error) {
        return base::fail(base::Errc::storage, directory.string() + ": " + error.what());
    }
}

base::Result<void> Store::recover() {
    {
        Query last = database_->query(
            "SELECT MAX(COALESCE((SELECT MAX(id) FROM message), 0),"
            " COALESCE((SELECT MAX(file) FROM partial), 0))");
        last.step();
        if (!last.is_null(0)) last_id_ = QueueId{last.integer(0)};
    }
    const auto released = recover_leased(*this);
    forget_broken_partials();
    {
        SQLite::Transaction transaction(database_->connection());
        name_organisations(*this);
        transaction.commit();
    }
    peer_load_.count(*database_);
    const auto is_known = [this](const char* sql) {
        return [this, sql](QueueId id) {
            Query wanted = database_->query(sql);
            return wanted.bind(id.value).step();
        };
    };
    std::size_t orphans = 0;
    for (const ContentFiles::Swept& swept :
         {files_.sweep(is_known("SELECT 1 FROM content WHERE message = ?1 AND bytes IS NULL")),
          spool_.sweep(is_known("SELECT 1 FROM partial WHERE file = ?1"))}) {
        orphans += swept.removed;
        if (swept.left > 0) log::orphans_left(swept.left, swept.why);
    }
    log::opened(settings_.directory.string(), released, orphans);
    return {};
}

void Store::forget_broken_partials() {
    // What a row says that there is, and is not, its sender sends again.
    std::vector<std::int64_t> broken;
    {
        Query partials = database_->query("SELECT file, offset FROM partial");
        while (partials.step()) {
            if (spool_.size_of(QueueId{partials.integer(0)}) <
                static_cast<std::uintmax_t>(partials.integer(1)))
                broken.push_back(partials.integer(0));
        }
    }
    for (const std::int64_t file : broken) {
        Query remove = database_->query("DELETE FROM partial WHERE file = ?1");
        remove.bind(file).run();
    }
}

QueueId Store::next_id() {
    const auto micros = std::chrono::microseconds(now().time_since_epoch()).count();
    last_id_.value = std::max<std::int64_t>(micros, last_id_.value + 1);
    return last_id_;
}

std::string Store::next_transfer_id() {
    std::array<std::uint8_t, 16> bytes{};
    random_.fill(bytes);
    std::string id = fmt::format("{:012x}", to_millis(now()));
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
            "INSERT OR IGNORE INTO destination (lane, component, domain) VALUES (?1, ?2, ?3)");
        add.bind(lane, destination.component, destination.domain).run();
    }
    Query find = database_->query(
        "SELECT id FROM destination WHERE lane = ?1 AND component = ?2 AND domain = ?3");
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
    Query find = database_->query("SELECT lane, component, domain FROM destination WHERE id = ?1");
    find.bind(number).step();
    return {static_cast<Lane>(find.integer(0)), find.text(1), find.text(2)};
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
