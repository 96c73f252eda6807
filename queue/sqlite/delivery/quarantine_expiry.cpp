#include "queue/sqlite/delivery/quarantine_expiry.hpp"

#include "queue/sqlite/delivery/settlement.hpp"

#include <vector>

namespace queue {
namespace {

constexpr std::int64_t kAtOnce = 50;  // messages that one step ends; each has a report

std::vector<std::uint32_t> held_of(Store& store, std::int64_t message) {
    std::vector<std::uint32_t> numbers;
    Query find = store.database().query(
        "SELECT n FROM recipient WHERE message = ?1 AND state = {held} ORDER BY n"_sql);
    find.bind(message);
    while (find.step())
        numbers.push_back(static_cast<std::uint32_t>(find.integer(0)));
    return numbers;
}

}  // namespace

base::Result<QuarantineStep> expire_quarantine(Store& store, const QuarantineStep::Place& behind) {
    if (!store.may_end_by_time()) return QuarantineStep();
    std::vector<QuarantineStep::Place> expired;
    {
        Query find = store.database().query(
            "SELECT expires_at, id FROM message WHERE damage IS NOT NULL AND ended_at IS NULL"
            " AND expires_at <= ?1"
            " AND (expires_at, id) > (?2, ?3) ORDER BY expires_at, id LIMIT ?4"_sql);
        find.bind(to_millis(store.now()), behind.expires, behind.message, kAtOnce);
        while (find.step())
            expired.push_back({find.integer(0), find.integer(1)});
    }
    QuarantineStep step;
    for (const auto& [expires, message] : expired) {
        const auto more = expire_recipients(store, QueueId{message}, held_of(store, message));
        // What is too damaged even for that stays, and is there for the administrator to see.
        if (!more && more.error().code == base::Errc::damaged) continue;
        if (!more) return more.error();
        add_all(step.due_now, *more);
    }
    if (expired.size() >= static_cast<std::size_t>(kAtOnce)) step.next = expired.back();
    return step;
}

}  // namespace queue
