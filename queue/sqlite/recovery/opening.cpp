#include "queue/sqlite/recovery/opening.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/delivery/crashes.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/recovery/repair.hpp"
#include "queue/sqlite/store/damage.hpp"

#include <vector>

namespace queue {
namespace {

void forget_broken_partials(Store& store) {
    // What a row says that there is, and is not, its sender sends again.
    std::vector<std::int64_t> broken;
    {
        Query partials = store.database().query("SELECT file, offset FROM partial"_sql);
        while (partials.step()) {
            if (store.spool().size_of(QueueId{partials.integer(0)}) <
                static_cast<std::uintmax_t>(partials.integer(1)))
                broken.push_back(partials.integer(0));
        }
    }
    for (const std::int64_t file : broken) {
        Query remove = store.database().query("DELETE FROM partial WHERE file = ?1"_sql);
        remove.bind(file).run();
    }
}

/// What the last process has left, by a stop or without one.
void recover(Store& store) {
    const auto released = recover_leased(store);
    forget_broken_partials(store);
    {
        SQLite::Transaction transaction(store.database().connection());
        name_organisations(store);
        transaction.commit();
    }
    store.peer_load().count(store.database());
    const auto is_known = [&store](Sql sql) {
        return [&store, sql](QueueId id) {
            Query wanted = store.database().query(sql);
            return wanted.bind(id.value).step();
        };
    };
    std::size_t orphans = 0;
    for (const ContentFiles::Swept& swept :
         {store.files().sweep(
              is_known("SELECT 1 FROM content WHERE message = ?1 AND bytes IS NULL"_sql)),
          store.spool().sweep(is_known("SELECT 1 FROM partial WHERE file = ?1"_sql))}) {
        orphans += swept.removed;
        if (swept.left > 0) log::orphans_left(swept.left, swept.why);
    }
    log::opened(store.settings().directory.string(), released, orphans);
}

base::Result<std::unique_ptr<Store>> open_as_it_is(const StoreSettings& settings,
                                                   const Router& router, const base::Clock& clock,
                                                   base::Random& random) {
    const std::string directory = settings.directory.string();
    try {
        auto store = Store::open(settings, router, clock, random);
        if (store) recover(**store);
        return store;
    } catch (const SQLite::Exception& error) {
        return base::fail(may_be_damage(error) ? base::Errc::damaged : base::Errc::storage,
                          directory + ": " + error.what());
    } catch (const std::exception& error) {
        return base::fail(base::Errc::storage, directory + ": " + error.what());
    }
}

}  // namespace

base::Result<std::unique_ptr<Store>> open_queue(const StoreSettings& settings, const Router& router,
                                                const base::Clock& clock, base::Random& random) {
    auto store = open_as_it_is(settings, router, clock, random);
    if (store || store.error().code != base::Errc::damaged) return store;
    log::database_damaged(store.error().text);
    if (auto repaired = repair_at_start(settings.directory, clock.now()); !repaired)
        return repaired.error();
    return open_as_it_is(settings, router, clock, random);
}

}  // namespace queue
