#include "queue/sqlite/delivery/crashes.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "queue/sqlite/store/under_way.hpp"

#include <vector>

namespace queue {
namespace {

constexpr int kSuspect = 2;         // crashes from which on it waits, and has no other beside it
constexpr int kStep = 100;          // suspects that are looked at in one transaction
constexpr std::size_t kNamed = 20;  // suspects that the log names at a start
constexpr int kCandidates = 200;    // suspects among which the next one is looked for

struct Suspect {
    QueueId id;
    int crashes = 0;
};

std::string reason(int crashes) {
    return "its delivery was under way in " + std::to_string(crashes) + " crashes";
}

/// Those of so many crashes that have not ended, behind `after`.
std::vector<Suspect> suspects(Store& store, QueueId after) {
    std::vector<Suspect> found;
    Query find = store.database().query(
        "SELECT id, crashes FROM message INDEXED BY message_crashes"
        " WHERE crashes > 0 AND crashes >= ?1 AND id > ?2 AND pending > 0 ORDER BY id LIMIT ?3"_sql);
    find.bind(kSuspect, after.value, kStep);
    while (find.step())
        found.push_back({QueueId{find.integer(0)}, static_cast<int>(find.integer(1))});
    return found;
}

/// It is not tried in the first time after a start: short lives would be no chance for it, and it
/// would take the others with it at each start.
void put_off(Store& store, const Suspect& suspect) {
    const auto due = store.now() + store.settings().retry.wait(suspect.crashes, store.random());
    Query update = store.database().query(
        "UPDATE recipient SET state = {deferred}, due_at = MAX(due_at, ?2), code = 451, status "
        "= '4.3.0', reply = ?3, remote = '' WHERE message = ?1 AND state IN ({queued}, "
        "{deferred})"_sql);
    update.bind(suspect.id.value, to_millis(due), reason(suspect.crashes)).run();
}

/// False if even that can't be written: then it only waits.
bool is_quarantined(Store& store, const Suspect& suspect) {
    const std::size_t actions = store.actions();
    store.database().execute("SAVEPOINT suspect"_sql);
    const auto report_to = quarantine(store, suspect.id, reason(suspect.crashes));
    if (!report_to) {
        store.drop_actions(actions);
        store.database().execute("ROLLBACK TO suspect"_sql);
    }
    store.database().execute("RELEASE suspect"_sql);
    return report_to.has_value();
}

}  // namespace

std::int64_t recover_leased(Store& store) {
    std::int64_t recipients = 0;
    std::size_t messages = 0;
    in_steps(store, [&] {
        const auto ids = messages_under_way(store);
        for (const QueueId id : ids) {
            recipients += put_back(store, id);
            Query count = store.database().query(
                "UPDATE message SET crashes = crashes + 1 WHERE id = ?1"_sql);
            count.bind(id.value).run();
        }
        messages += ids.size();
        return !ids.empty();
    });
    if (messages > 0) log::interrupted(messages, recipients);
    QueueId last;
    std::size_t named = 0;
    in_steps(store, [&] {
        const auto found = suspects(store, last);
        for (const Suspect& suspect : found) {
            if (named++ < kNamed) log::suspected(suspect.id, suspect.crashes);
            const bool over = suspect.crashes >= kMostCrashes;
            if (!over || !is_quarantined(store, suspect)) put_off(store, suspect);
            last = suspect.id;
        }
        return !found.empty();
    });
    return recipients;
}

bool has_to_wait(Store& store, int crashes) {
    if (crashes < kSuspect) return false;
    Query other = store.database().query(
        "SELECT 1 FROM message m JOIN recipient r ON r.message = m.id"
        " WHERE m.crashes > 0 AND m.crashes >= ?1 AND r.state = {leased} LIMIT 1"_sql);
    return other.bind(kSuspect).step();
}

std::optional<Destination> call_next(Store& store, int crashes) {
    if (crashes < kSuspect) return std::nullopt;
    const auto soon = to_millis(store.now() + kSuspectPause);
    std::int64_t message = 0;
    std::int64_t destination = 0;
    {
        // Who is due later waits for its own time; who is due now, for its destination. Neither
        // waits for another one.
        Query find = store.database().query(
            "SELECT r.message, r.destination FROM (SELECT id FROM message INDEXED BY "
            "message_crashes WHERE crashes > 0 AND crashes >= ?1 AND pending > 0 LIMIT ?4) m"
            " JOIN recipient r ON r.message = m.id WHERE r.ended_at IS NULL"
            " AND r.state IN ({queued}, {deferred}) AND r.due_at > ?2 AND r.due_at <= ?3 LIMIT 1"_sql);
        if (!find.bind(kSuspect, to_millis(store.now()), soon, kCandidates).step())
            return std::nullopt;
        message = find.integer(0);
        destination = find.integer(1);
    }
    Query call = store.database().query(
        "UPDATE recipient SET due_at = ?3 WHERE message = ?1 AND destination = ?2"
        " AND state IN ({queued}, {deferred}) AND due_at <= ?4"_sql);
    call.bind(message, destination, to_millis(store.now()), soon).run();
    return store.destination(destination);
}

}  // namespace queue
