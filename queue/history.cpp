#include "queue/history.hpp"

#include "base/limits.hpp"
#include "queue/verdicts.hpp"

#include <algorithm>
#include <chrono>

namespace queue {

Health health(Store& store) {
    Health health;
    {
        // Not by its id, which is no time any more once the clock was ahead.
        Query oldest = store.database().query(
            "SELECT received_at FROM message WHERE id = (SELECT MIN(message) FROM content)");
        if (oldest.step()) health.oldest = from_millis(oldest.integer(0));
    }
    Query waiting = store.database().query("SELECT COUNT(*) FROM recipient WHERE state IN (1, 3)");
    waiting.step();
    health.waiting = waiting.integer(0);
    return health;
}

base::Result<int> prune(Store& store) {
    if (!store.may_end_by_time()) return 0;
    std::vector<std::int64_t> old;
    {
        Query find = store.database().query(
            "SELECT id FROM message WHERE kept_from < ?1 ORDER BY kept_from LIMIT ?2");
        find.bind(to_millis(store.now() - store.settings().history),
                  static_cast<std::int64_t>(base::limits::kPruned));
        while (find.step())
            old.push_back(find.integer(0));
    }
    for (const std::int64_t id : old) {
        for (const char* const sql :
             {"DELETE FROM report WHERE transfer IN (SELECT number FROM transfer WHERE message = "
              "?1)",
              "DELETE FROM recipient WHERE message = ?1", "DELETE FROM transfer WHERE message = ?1",
              "DELETE FROM event WHERE message = ?1", "DELETE FROM header WHERE message = ?1",
              "DELETE FROM message WHERE id = ?1"}) {
            Query remove = store.database().query(sql);
            remove.bind(id).run();
        }
    }
    return std::max(static_cast<int>(old.size()), prune_transfers(store));
}

}  // namespace queue
