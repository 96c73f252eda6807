#include "queue/sqlite/recovery/repair.hpp"

#include "queue/disk/directory_lock.hpp"
#include "queue/disk/synced.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/admin/verify.hpp"
#include "queue/sqlite/recovery/mend.hpp"
#include "queue/sqlite/recovery/salvage.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/database.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace queue {
namespace {

// Damaged databases that are kept: more would only fill the disk.
constexpr std::size_t kKept = 3;
constexpr const char* kKeptPrefix = "queue.db.damaged-";
// A start does not repair again what it repaired so short a while ago: the disk is failing, and
// each time something would be lost.
constexpr auto kAgain = std::chrono::minutes(15);
// For what the copy takes beyond the original: its journal, and pages that are filled less.
constexpr std::uintmax_t kSpare = 16u << 20;

base::Error failed(const std::filesystem::path& path, const std::string& why) {
    return base::fail(base::Errc::storage, path.string() + ": " + why);
}

base::Error failed_by_system(const std::filesystem::path& path, const char* what) {
    return failed(path, std::string("can't ") + what + ": " + std::strerror(errno));
}

/// What the file says of itself, once all that was committed is in it.
struct Facts {
    int version = 0;
    std::size_t page_size = 0;
    std::size_t usable = 0;
};

/// SQLite itself puts what is in the write-ahead log into the file: it does so without a look at
/// what the pages hold. Throws SQLite::Exception.
base::Result<Facts> take_in_log(const std::filesystem::path& file) {
    Facts facts;
    {
        SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
        // Of a file that is cut off, too.
        database.exec("PRAGMA writable_schema = ON");
        // These read the header alone, and not the schema, which may be what is damaged.
        facts.version = database.execAndGet("PRAGMA user_version").getInt();
        facts.page_size =
            static_cast<std::size_t>(database.execAndGet("PRAGMA page_size").getInt64());
        int reserved = -1;  // asks, and changes nothing
        sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
        facts.usable = facts.page_size - static_cast<std::size_t>(std::max(reserved, 0));
        const int done = sqlite3_wal_checkpoint_v2(database.getHandle(), nullptr,
                                                   SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
        if (done != SQLITE_OK) throw SQLite::Exception(database.getHandle(), done);
    }
    std::error_code none;
    const auto left = std::filesystem::file_size(file.string() + "-wal", none);
    if (!none && left > 0) return failed(file, "its write-ahead log can't be taken into it");
    return facts;
}

std::string schema_of(SQLite::Database& database) {
    SQLite::Statement read(database,
                           "SELECT type, name, sql FROM sqlite_master ORDER BY type, name");
    std::string schema;
    while (read.executeStep())
        schema += read.getColumn(0).getString() + " " + read.getColumn(1).getString() + " " +
                  read.getColumn(2).getString() + "\n";
    return schema;
}

MendFiles files_in(const std::filesystem::path& directory, const ContentFiles& contents,
                   const ContentFiles& spool) {
    return {&contents, &spool, directory / "lost"};
}

/// As far as SQLite, and the rows' own rules, can say.
bool is_sound(const std::filesystem::path& file, const VerifyFiles& files, int version) {
    try {
        auto database = Database::open_for_reading(file);
        if (!database) return false;
        if (version == Database::newest_version() &&
            schema_of((*database)->connection()) !=
                schema_of(Database::make(":memory:", version)->connection()))
            return false;
        (*database)->execute("BEGIN"_sql);
        return verify(**database, files).empty();
    } catch (const SQLite::Exception&) {
        return false;
    }
}

struct Kept {
    std::size_t count = 0;
    std::optional<std::chrono::file_clock::time_point> newest;
};

Kept look_for_kept(const std::filesystem::path& directory) {
    Kept kept;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (!entry.path().filename().string().starts_with(kKeptPrefix)) continue;
        ++kept.count;
        // Made when its name was: the file itself may not have been written to for long.
        struct stat facts {};
        if (::stat(entry.path().c_str(), &facts) != 0) continue;
        const auto changed = std::chrono::file_clock::from_sys(
            std::chrono::system_clock::from_time_t(facts.st_ctime));
        kept.newest = std::max(kept.newest.value_or(changed), changed);
    }
    return kept;
}

base::Result<void> check_room(const std::filesystem::path& file) {
    struct statvfs facts {};
    if (::statvfs(file.parent_path().c_str(), &facts) != 0)
        return failed_by_system(file, "look at the disk");
    const std::uintmax_t needed = std::filesystem::file_size(file) + kSpare;
    if (std::uintmax_t{facts.f_bavail} * facts.f_frsize >= needed) return {};
    return failed(
        file, fmt::format("to repair it takes {} bytes of the disk, and there are fewer", needed));
}

std::filesystem::path name_to_keep(const std::filesystem::path& directory, base::TimePoint now) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
    const std::time_t time = seconds.count();
    const std::string name = fmt::format("{}{:%Y%m%dT%H%M%S}", kKeptPrefix, fmt::gmtime(time));
    auto path = directory / name;
    for (int i = 2; std::filesystem::exists(path); ++i)
        path = directory / fmt::format("{}-{}", name, i);
    return path;
}

/// As the old one's: root may repair what the daemon's account uses.
void give_to_owner_of(const std::filesystem::path& model, const std::filesystem::path& path) {
    // A service may be forbidden the very call (SystemCallFilter), and what it makes is its own.
    if (::geteuid() != 0) return;
    struct stat facts {};
    if (::stat(model.c_str(), &facts) == 0)
        (void)!::chown(path.c_str(), facts.st_uid, facts.st_gid);
}

base::Result<RepairReport> make_anew(const std::filesystem::path& directory,
                                     const std::filesystem::path& part, const Facts& facts,
                                     base::TimePoint now) {
    RepairReport report;
    const auto file = directory / "queue.db";
    {
        const auto pages = PageFile::open(file, facts.page_size, facts.usable);
        if (!pages) return pages.error();
        const auto fresh = Database::make(part, facts.version);
        // It is synced as a whole before it gets its name.
        fresh->connection().exec("PRAGMA synchronous = OFF");
        salvage(*pages, fresh->connection(), report);
    }
    auto database = Database::open_copy(part);
    if (!database) return database.error();
    (*database)->connection().exec("PRAGMA synchronous = OFF");
    const auto contents = ContentFiles::existing(directory / "content");
    const auto spool = ContentFiles::existing(directory / "spool");
    const auto files = files_in(directory, contents, spool);
    if (auto mended = mend(**database, files, now, report); !mended) return mended.error();
    for (const Finding& finding : verify(**database, {&contents, &spool, false}))
        report.add("still wrong: " + finding.message.to_text() + " " + finding.text);
    return report;
}

base::Result<void> change_places(const std::filesystem::path& file,
                                 const std::filesystem::path& part,
                                 const std::filesystem::path& kept) {
    give_to_owner_of(file, part);
    if (::chmod(part.c_str(), 0600) != 0) return failed_by_system(part, "set the mode of");
    // A link: at no moment there is no database, which a start would take for a new queue.
    if (::link(file.c_str(), kept.c_str()) != 0) return failed_by_system(kept, "create");
    std::error_code ignored;
    for (const char* const rest : {"-wal", "-shm"})
        std::filesystem::remove(file.string() + rest, ignored);
    auto placed = put_into_place(part, file);
    if (!placed) std::filesystem::remove(kept, ignored);
    return placed;
}

void give_lost_to_owner(const std::filesystem::path& directory) {
    std::error_code none;
    const auto lost = directory / "lost";
    if (!std::filesystem::exists(lost, none)) return;
    give_to_owner_of(directory, lost);
    for (const auto& entry : std::filesystem::directory_iterator(lost, none))
        give_to_owner_of(directory, entry.path());
}

base::Result<std::optional<RepairReport>> repair_file(const std::filesystem::path& directory,
                                                      base::TimePoint now) {
    const auto file = directory / "queue.db";
    const auto facts = take_in_log(file);
    if (!facts) return facts.error();
    if (facts->version <= 0 || facts->version > Database::newest_version())
        return failed(file, "not a queue of a version that this program knows");
    const auto contents = ContentFiles::existing(directory / "content");
    const auto spool = ContentFiles::existing(directory / "spool");
    // As in use: what was under way when a daemon died is no damage, and its next start sees to it.
    if (is_sound(file, {&contents, &spool, true}, facts->version))
        return std::optional<RepairReport>();
    if (look_for_kept(directory).count >= kKept)
        return failed(directory,
                      fmt::format("there are {} damaged databases already ({}*): look at the disk, "
                                  "and take some away",
                                  kKept, kKeptPrefix));
    if (auto room = check_room(file); !room) return room.error();
    const std::filesystem::path part = file.string() + ".part";
    for (const char* const rest : {"", "-journal"})
        std::filesystem::remove(part.string() + rest);
    auto report = make_anew(directory, part, *facts, now);
    if (report) {
        report->kept = name_to_keep(directory, now);
        give_lost_to_owner(directory);
        if (auto placed = change_places(file, part, report->kept); !placed) report = placed.error();
    }
    if (!report) {
        std::error_code ignored;
        for (const char* const rest : {"", "-journal"})
            std::filesystem::remove(part.string() + rest, ignored);
        return report.error();
    }
    return std::optional<RepairReport>(std::move(*report));
}

}  // namespace

base::Result<std::optional<RepairReport>> repair(const std::filesystem::path& directory,
                                                 base::TimePoint now) {
    try {
        auto repaired = repair_file(directory, now);
        if (repaired) forget_damage(directory);
        return repaired;
    } catch (const std::exception& error) {
        return failed(directory / "queue.db", std::string("can't be repaired: ") + error.what());
    }
}

base::Result<void> repair_at_start(const std::filesystem::path& directory, base::TimePoint now) {
    try {
        const auto lock = DirectoryLock::take(directory);
        if (!lock) return lock.error();
        const auto newest = look_for_kept(directory).newest;
        // A clock that was ahead then says nothing.
        const auto now_there = std::chrono::file_clock::now();
        if (newest && *newest <= now_there && now_there - *newest < kAgain)
            return failed(directory / "queue.db",
                          "damaged again, a short while after it was repaired: the disk fails, "
                          "perhaps. `packetboat queue verify --repair` repairs it once more");
        const auto repaired = repair(directory, now);
        if (!repaired) return repaired.error();
        if (*repaired) log::repaired(**repaired);
        return {};
    } catch (const std::exception& error) {
        return failed(directory, error.what());
    }
}

}  // namespace queue
