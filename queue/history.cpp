#include "queue/history.hpp"

#include "base/limits.hpp"
#include "queue/verdicts.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace queue {
namespace {

constexpr std::size_t kTraced = 20;

std::string reply_text(const Query& row, int code_column) {
    if (row.is_null(code_column)) return row.text(code_column + 2);
    const std::string text = row.text(code_column + 2);
    return fmt::format("{} {}{}{}", row.integer(code_column), row.text(code_column + 1),
                       text.empty() ? "" : " ", text);
}

std::vector<QueueId> find_messages(Store& store, const std::string& name) {
    std::vector<QueueId> found;
    if (const auto id = QueueId::parse(name)) {
        Query query = store.database().query("SELECT id FROM message WHERE id = ?1");
        query.bind(id->value);
        if (query.step()) found.push_back(*id);
        if (!found.empty()) return found;
    }
    const auto find = [&](const char* sql, const std::string& value) {
        Query query = store.database().query(sql);
        query.bind(value, static_cast<std::int64_t>(kTraced));
        while (query.step())
            found.push_back(QueueId{query.integer(0)});
    };
    find(
        "SELECT id FROM message WHERE origin_transfer = ?1 AND origin_transfer <> '' ORDER BY id "
        "DESC LIMIT ?2",
        name);
    find("SELECT message FROM transfer WHERE id = ?1 ORDER BY message DESC LIMIT ?2", name);
    // Only this one has no index: it would cost each mail more than it saves the rare question.
    if (found.empty()) {
        find("SELECT id FROM message WHERE message_id = ?1 ORDER BY id DESC LIMIT ?2",
             name.starts_with('<') ? name : "<" + name + ">");
    }
    return found;
}

void add_arrival_step(Store& store, TracedMessage& message) {
    Query find = store.database().query(
        "SELECT sender, message_id, size, received_at, origin_kind, origin_client, origin_helo, "
        "origin_domain,"
        " origin_transfer, origin_component FROM message WHERE id = ?1");
    find.bind(message.id.value);
    if (!find.step()) return;
    message.sender = find.text(0);
    message.message_id = find.text(1);
    message.size = static_cast<std::size_t>(find.integer(2));
    std::string detail;
    switch (static_cast<Origin::Kind>(find.integer(4))) {
        case Origin::Kind::smtp:
            detail = fmt::format("from {} ({})", find.text(5), find.text(6));
            break;
        case Origin::Kind::xmpp:
            detail = fmt::format("over XMPP from {} for {}, by {}, transfer {}", find.text(5),
                                 find.text(7), find.text(9), find.text(8));
            break;
        case Origin::Kind::internal:
            detail = find.text(5);
            break;
    }
    message.steps.push_back({from_millis(find.integer(3)), "received", "", detail});
}

void add_transfer_steps(Store& store, TracedMessage& message) {
    Query find = store.database().query(
        "SELECT created_at, id, peer, sends FROM transfer WHERE message = ?1 ORDER BY number");
    find.bind(message.id.value);
    while (find.step()) {
        const std::int64_t sends = find.integer(3);
        message.steps.push_back(
            {from_millis(find.integer(0)), "transfer", "",
             fmt::format("{} to {}, sent {}", find.text(1), find.text(2),
                         sends == 1 ? std::string("once") : fmt::format("{} times", sends))});
    }
}

void add_events(Store& store, TracedMessage& message) {
    Query find = store.database().query(
        "SELECT e.at, e.what, COALESCE(r.address, ''), e.detail FROM event e"
        " LEFT JOIN recipient r ON r.message = e.message AND r.n = e.n"
        " WHERE e.message = ?1 ORDER BY e.id DESC LIMIT ?2");
    find.bind(message.id.value, static_cast<std::int64_t>(base::limits::kEventsKept));
    while (find.step())
        message.steps.push_back(
            {from_millis(find.integer(0)), find.text(1), find.text(2), find.text(3)});
}

void add_recipient_steps(Store& store, TracedMessage& message) {
    struct Row {
        Step step;
        std::int64_t destination;
    };
    std::vector<Row> rows;
    {
        Query find = store.database().query(
            "SELECT state, address, code, status, reply, remote, ended_at, due_at, attempts, "
            "destination"
            " FROM recipient WHERE message = ?1 ORDER BY n");
        find.bind(message.id.value);
        while (find.step()) {
            const auto state = static_cast<State>(find.integer(0));
            Step step{from_millis(find.integer(has_ended(state) ? 6 : 7)), to_text(state),
                      find.text(1), reply_text(find, 2)};
            if (const std::string remote = find.text(5); !remote.empty())
                step.detail += " (" + remote + ")";
            if (!has_ended(state)) {
                step.what = state == State::held ? "held" : "waiting";
                step.detail =
                    fmt::format("{}, {} tries so far{}{}", to_text(state), find.integer(8),
                                step.detail.empty() ? "" : "; last: ", step.detail);
            }
            rows.push_back({std::move(step), find.integer(9)});
        }
    }
    for (Row& row : rows) {
        row.step.detail = store.destination(row.destination).to_text() + ": " + row.step.detail;
        message.steps.push_back(std::move(row.step));
    }
}

}  // namespace

std::vector<ListedRecipient> list_waiting(Store& store) {
    std::vector<ListedRecipient> rows;
    std::vector<std::int64_t> destinations;
    {
        // What is due or deferred is in an index; what is leased or held belongs to a message with
        // content.
        Query find = store.database().query(
            "WITH waiting AS ("
            " SELECT * FROM recipient WHERE state IN (1, 3)"
            " UNION ALL SELECT r.* FROM content c JOIN recipient r ON r.message = c.message"
            " WHERE r.state IN (2, 4))"
            " SELECT r.message, m.received_at, m.sender, r.address, m.size, r.state, r.attempts, "
            "r.due_at,"
            " r.code, r.status, r.reply, r.destination FROM waiting r JOIN message m ON m.id = "
            "r.message"
            " ORDER BY r.message, r.n LIMIT ?1");
        find.bind(static_cast<std::int64_t>(base::limits::kListed));
        while (find.step()) {
            ListedRecipient row;
            row.id = QueueId{find.integer(0)};
            row.received_at = from_millis(find.integer(1));
            row.sender = find.text(2);
            row.address = find.text(3);
            row.size = static_cast<std::size_t>(find.integer(4));
            row.state = static_cast<State>(find.integer(5));
            row.attempts = static_cast<int>(find.integer(6));
            row.due = from_millis(find.integer(7));
            row.reply = reply_text(find, 8);
            destinations.push_back(find.integer(11));
            rows.push_back(std::move(row));
        }
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].destination = store.destination(destinations[i]);
    return rows;
}

base::Result<std::vector<TracedMessage>> trace(Store& store, const std::string& name) {
    std::vector<TracedMessage> traced;
    for (const QueueId id : find_messages(store, name)) {
        TracedMessage message;
        message.id = id;
        add_arrival_step(store, message);
        add_transfer_steps(store, message);
        add_events(store, message);
        add_recipient_steps(store, message);
        std::ranges::stable_sort(message.steps, {}, &Step::at);
        traced.push_back(std::move(message));
    }
    if (traced.empty()) return base::fail(base::Errc::not_found, "no message is known as " + name);
    return traced;
}

Health health(Store& store) {
    Health health;
    {
        Query oldest = store.database().query("SELECT MIN(message) FROM content");
        if (oldest.step() && !oldest.is_null(0)) {
            const std::chrono::microseconds micros(oldest.integer(0));
            health.oldest =
                base::TimePoint(std::chrono::duration_cast<std::chrono::milliseconds>(micros));
        }
    }
    Query waiting = store.database().query("SELECT COUNT(*) FROM recipient WHERE state IN (1, 3)");
    waiting.step();
    health.waiting = waiting.integer(0);
    return health;
}

base::Result<int> prune(Store& store) {
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
