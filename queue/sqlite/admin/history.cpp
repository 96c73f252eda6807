#include "queue/sqlite/admin/history.hpp"

#include "base/limits.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/store/complaint_rows.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

// Rows that one step removes, but for the rest of a message: some tens of milliseconds.
constexpr int kRows = 2000;

}  // namespace

Health health(Database& database) {
    Health health;
    {
        // Not by its id, which is no time any more once the clock was ahead.
        Query oldest = database.query(
            "SELECT received_at FROM message WHERE id = (SELECT MIN(message) FROM content)"_sql);
        if (oldest.step()) health.oldest = from_millis(oldest.integer(0));
    }
    Query waiting =
        database.query("SELECT COUNT(*) FROM recipient WHERE state IN ({queued}, {deferred})"_sql);
    waiting.step();
    health.waiting = waiting.integer(0);
    return health;
}

base::Result<int> prune(Store& store) {
    if (!store.may_end_by_time()) return 0;
    std::vector<std::int64_t> old;
    {
        Query find = store.database().query(
            "SELECT id FROM message WHERE kept_from < ?1 ORDER BY kept_from LIMIT ?2"_sql);
        find.bind(to_millis(store.now() - store.settings().history),
                  static_cast<std::int64_t>(base::limits::kPruned));
        while (find.step())
            old.push_back(find.integer(0));
    }
    int rows = kRows;
    for (const std::int64_t id : old) {
        // Each try may have left a line for each recipient: the most by far.
        Query events = store.database().query(
            "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE message = ?1 LIMIT ?2)"_sql);
        events.bind(id, rows).run();
        rows -= store.database().changes();
        if (rows <= 0) return static_cast<int>(base::limits::kPruned);
        for (const Sql sql :
             {"DELETE FROM report WHERE transfer IN (SELECT number FROM transfer WHERE message = "
              "?1)"_sql,
              "DELETE FROM recipient WHERE message = ?1"_sql,
              "DELETE FROM transfer WHERE message = ?1"_sql,
              "DELETE FROM header WHERE message = ?1"_sql,
              "DELETE FROM message WHERE id = ?1"_sql}) {
            Query remove = store.database().query(sql);
            remove.bind(id).run();
            rows -= store.database().changes();
        }
        if (rows <= 0) return static_cast<int>(base::limits::kPruned);
    }
    return std::max({static_cast<int>(old.size()), prune_transfers(store), prune_standings(store),
                     prune_complaints(store)});
}

}  // namespace queue
