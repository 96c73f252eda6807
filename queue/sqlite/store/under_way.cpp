#include "queue/sqlite/store/under_way.hpp"

namespace queue {
namespace {

constexpr int kAtOnce = 100;  // messages of one transaction

}  // namespace

std::vector<QueueId> messages_under_way(Store& store) {
    std::vector<QueueId> ids;
    Query find = store.database().query(
        "SELECT DISTINCT message FROM recipient WHERE state = {leased} ORDER BY message LIMIT ?1"_sql);
    find.bind(kAtOnce);
    while (find.step())
        ids.push_back(QueueId{find.integer(0)});
    return ids;
}

int put_back(Store& store, QueueId message) {
    // What was leased may have been sent: its transfer, if it has one, is sent again under the same
    // id.
    Query update = store.database().query(
        "UPDATE recipient SET state = {queued}, due_at = ?2 WHERE message = ?1 AND state = {leased}"_sql);
    update.bind(message.value, to_millis(store.now())).run();
    return store.database().changes();
}

void in_steps(Store& store, const std::function<bool()>& step) {
    for (bool more = true; more;) {
        SQLite::Transaction transaction(store.database().connection());
        more = step();
        transaction.commit();
        store.run_actions();
    }
}

void release_leased(Store& store) {
    in_steps(store, [&] {
        const auto ids = messages_under_way(store);
        for (const QueueId id : ids) {
            put_back(store, id);
            has_survived(store, id);
        }
        return !ids.empty();
    });
}

void has_survived(Store& store, QueueId message) {
    Query clear =
        store.database().query("UPDATE message SET crashes = 0 WHERE id = ?1 AND crashes > 0"_sql);
    clear.bind(message.value).run();
}

}  // namespace queue
