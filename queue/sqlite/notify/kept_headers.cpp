#include "queue/sqlite/notify/kept_headers.hpp"

#include "base/limits.hpp"

#include <algorithm>

namespace queue {

std::optional<base::TimePoint> last_report(Store& store, const MessageRow& message) {
    if (!message.envelope.from || message.origin.kind == Origin::Kind::internal)
        return std::nullopt;
    // NOTIFY=NEVER (1) of all recipients wants none.
    Query find = store.database().query(
        "SELECT MAX(t.expires_at) FROM recipient r JOIN transfer t ON t.number = r.transfer"
        " WHERE r.message = ?1 AND r.state = {relayed} AND r.notify <> 1"_sql);
    find.bind(message.id.value);
    if (!find.step() || find.is_null(0)) return std::nullopt;
    return from_millis(find.integer(0)) + base::limits::kReportGrace + base::limits::kVerdictGrace;
}

base::Result<void> keep_header(Store& store, const MessageRow& message) {
    {
        // Within SQLite, as this is done for every message.
        Query copy = store.database().query(
            "INSERT OR IGNORE INTO header (message, bytes) SELECT message, substr(bytes, 1, ?2)"
            " FROM content WHERE message = ?1 AND bytes IS NOT NULL"_sql);
        copy.bind(message.id.value, static_cast<std::int64_t>(message.header_size)).run();
        if (store.database().changes() > 0) return {};
    }
    const auto header = read_beginning(store, message.id, message.size, message.header_size);
    // The mail is at the peer. A later report only has less to return.
    if (!header) return {};
    Query insert =
        store.database().query("INSERT OR IGNORE INTO header (message, bytes) VALUES (?1, ?2)"_sql);
    insert->bind(1, message.id.value);
    insert->bind(2, header->bytes().data(), static_cast<int>(header->size()));
    insert.run();
    return {};
}

}  // namespace queue
