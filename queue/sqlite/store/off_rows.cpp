#include "queue/sqlite/store/off_rows.hpp"

namespace queue {

std::optional<Off> load_off(Store& store) {
    Query find = store.database().query("SELECT since, until FROM off WHERE id = 1"_sql);
    if (!find.step()) return std::nullopt;
    Off off{from_millis(find.integer(0)), std::nullopt};
    if (!find.is_null(1)) off.until = from_millis(find.integer(1));
    return off;
}

void set_off(Store& store, const std::optional<Off>& off) {
    {
        Query remove = store.database().query("DELETE FROM off"_sql);
        remove.run();
    }
    if (!off) return;
    if (off->until) {
        Query insert =
            store.database().query("INSERT INTO off (id, since, until) VALUES (1, ?1, ?2)"_sql);
        insert.bind(to_millis(off->since), to_millis(*off->until)).run();
    } else {
        Query insert = store.database().query("INSERT INTO off (id, since) VALUES (1, ?1)"_sql);
        insert.bind(to_millis(off->since)).run();
    }
}

}  // namespace queue
