#include "queue/sqlite/delivery/waiting_rows.hpp"

#include "queue/mail_class.hpp"

namespace queue {
namespace {

constexpr int kLastClass = static_cast<int>(MailClass::large);

WaitingRow read_waiting(const Query& row, int of_class) {
    WaitingRow waiting;
    waiting.place = {of_class, row.integer(0), row.integer(1), row.integer(2)};
    waiting.message = QueueId{row.integer(1)};
    waiting.n = static_cast<std::uint32_t>(row.integer(2));
    waiting.status = row.text(3);
    waiting.reply = row.text(4);
    waiting.was_sent = row.integer(5) > 0;
    waiting.is_whole = !row.is_null(6);
    if (!waiting.is_whole) return waiting;
    waiting.received_at = from_millis(row.integer(6));
    waiting.expires_at = from_millis(row.integer(7));
    waiting.size = static_cast<std::size_t>(row.integer(8));
    return waiting;
}

}  // namespace

std::vector<WaitingRow> waiting_rows(Store& store, std::int64_t destination,
                                     const WaitingPlace& behind, const DueTimes& due,
                                     std::size_t most) {
    std::vector<WaitingRow> rows;
    const WaitingPlace start{0, to_millis(due.after), INT64_MAX, INT64_MAX};
    WaitingPlace from = behind.due > start.due ? behind : start;
    for (int of = behind.of_class; of <= kLastClass && rows.size() < most; ++of) {
        Query find = store.database().query(
            "SELECT r.due_at, r.message, r.n, r.status, r.reply, COALESCE(t.sends, 0),"
            " m.received_at, m.expires_at, m.size FROM recipient r"
            " LEFT JOIN message m ON m.id = r.message LEFT JOIN transfer t ON t.number = r.transfer"
            " WHERE r.destination = ?1 AND r.class = ?2 AND r.state IN ({queued}, {deferred}) AND "
            "r.due_at <= ?6"
            " AND (r.due_at, r.message, r.n) > (?3, ?4, ?5)"
            " ORDER BY r.due_at, r.message, r.n LIMIT ?7"_sql);
        find.bind(destination, of, from.due, from.message, from.n, to_millis(due.until),
                  static_cast<std::int64_t>(most - rows.size()));
        while (find.step())
            rows.push_back(read_waiting(find, of));
        from = start;
    }
    return rows;
}

}  // namespace queue
