#include "queue/sqlite/delivery/quarantine.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/notify/reports.hpp"

#include <vector>

namespace queue {
namespace {

void mark(Store& store, QueueId message, const std::string& why) {
    // Once somebody has looked and released it, its crashes are counted anew.
    Query set =
        store.database().query("UPDATE message SET damage = ?2, crashes = 0 WHERE id = ?1"_sql);
    set.bind(message.value, why).run();
    store.after_commit([message, why] { log::quarantined(message, why); });
}

}  // namespace

base::Result<std::optional<Destination>> quarantine(Store& store, QueueId message,
                                                    const std::string& why) {
    std::vector<std::string> addresses;
    std::vector<std::uint32_t> numbers;
    {
        Query hold = store.database().query(
            "UPDATE recipient SET state = {held}, code = 451, status = '4.3.0', reply = ?2, "
            "remote = '' WHERE message = ?1 AND state IN ({queued}, {leased}, {deferred}) "
            "RETURNING n, address"_sql);
        hold.bind(message.value, why);
        while (hold.step()) {
            numbers.push_back(static_cast<std::uint32_t>(hold.integer(0)));
            addresses.push_back(hold.text(1));
        }
    }
    mark(store, message, why);
    {
        // What lives has a row in this table, by which it is found.
        Query stand_in = store.database().query(
            "INSERT OR IGNORE INTO content (message, bytes) VALUES (?1, x'')"_sql);
        stand_in.bind(message.value).run();
    }
    for (const std::uint32_t n : numbers)
        add_event(store, message, n, "quarantined", why);
    const auto row = read_message(store, message);
    // Of a message without a row of its own nothing can be said but this log line.
    if (!row || addresses.empty()) return std::optional<Destination>();
    return add_damage_report(store, *row, addresses, why);
}

base::Result<std::optional<Destination>> hold_back(Store& store, const MessageRow& message,
                                                   const std::vector<HeldRecipient>& recipients,
                                                   const Held& held) {
    std::vector<std::string> addresses;
    for (const HeldRecipient& each : recipients) {
        Query hold = store.database().query(
            "UPDATE recipient SET state = {held}, attempts = ?3, code = ?4, status = ?5, reply "
            "= ?6, remote = ?7 WHERE message = ?1 AND n = ?2"_sql);
        hold.bind(message.id.value, static_cast<std::int64_t>(each.n), each.attempts,
                  held.reply.code, held.reply.status.to_text(), held.reply.text, held.remote)
            .run();
        add_event(store, message.id, each.n, "quarantined", held.reply.to_text());
        addresses.push_back(each.address);
    }
    mark(store, message.id, held.reply.text);
    return add_held_report(store, message, addresses, held);
}

void leave_if_none_is_held(Store& store, QueueId message) {
    Query clear = store.database().query(
        "UPDATE message SET damage = NULL WHERE id = ?1 AND damage IS NOT NULL AND pending > 0"
        " AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = ?1 AND state = {held})"_sql);
    clear.bind(message.value).run();
}

}  // namespace queue
