#include "queue/sqlite/admin/inspection.hpp"

#include "base/limits.hpp"
#include "queue/mail_class.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/sql_functions.hpp"
#include "queue/sqlite/store/store.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace queue {
namespace {

constexpr std::size_t kTraced = 20;
// Messages that one step of a search looks at, and those of which it looks at each recipient.
constexpr std::size_t kSearched = 1000;
constexpr std::size_t kSearchedWhole = 100;
// Recipients of messages on damaged pages that a page of a list meets, before it ends: a disk may
// take its time to say that it can't read them.
constexpr int kUnreadable = 20;
constexpr int kSteps = 20;  // of a selection that one page of a list takes

std::string reply_text(const Query& row, int code_column) {
    if (row.is_null(code_column)) return row.text(code_column + 2);
    const std::string text = row.text(code_column + 2);
    return fmt::format("{} {}{}{}", row.integer(code_column), row.text(code_column + 1),
                       text.empty() ? "" : " ", text);
}

/// By what finds it at once: a queue id, or a transfer's.
std::vector<QueueId> find_by_id(Database& database, const std::string& name) {
    std::vector<QueueId> found;
    if (const auto id = QueueId::parse(name)) {
        Query query = database.query("SELECT id FROM message WHERE id = ?1"_sql);
        query.bind(id->value);
        if (query.step()) return {*id};
    }
    const auto find = [&](Sql sql) {
        Query query = database.query(sql);
        query.bind(name, static_cast<std::int64_t>(kTraced));
        while (query.step())
            found.push_back(QueueId{query.integer(0)});
    };
    find(
        "SELECT id FROM message WHERE origin_transfer = ?1 AND origin_transfer <> '' ORDER BY id "
        "DESC LIMIT ?2"_sql);
    find("SELECT message FROM transfer WHERE id = ?1 ORDER BY message DESC LIMIT ?2"_sql);
    return found;
}

/// Among the next messages. What has no index is looked for like this: it would cost each mail more
/// than it saves the rare question.
void look_on(Database& database, Search& search, Sql sql, const std::string& value,
             std::size_t most) {
    Query query = database.query(sql);
    query.bind(value, search.before.value, static_cast<std::int64_t>(most));
    std::size_t looks = 0;
    while (search.found.size() < kTraced && query.step()) {
        ++looks;
        search.before = QueueId{query.integer(0)};
        if (query.integer(1) != 0) search.found.push_back(search.before);
    }
    if (looks == most) return;
    search.before = QueueId{INT64_MAX};
    search.next = search.next == Search::Next::message_id && search.found.empty()
                      ? Search::Next::address
                      : Search::Next::nothing;
}

Destination read_destination(Database& database, std::int64_t number) {
    Query find =
        database.query("SELECT lane, component, domain FROM destination WHERE id = ?1"_sql);
    if (!find.bind(number).step()) return {};
    return {static_cast<Lane>(find.integer(0)), find.text(1), find.text(2)};
}

void add_arrival_step(Database& database, TracedMessage& message) {
    Query find = database.query(
        "SELECT sender, message_id, size, received_at, origin_kind, origin_client, origin_helo, "
        "origin_domain,"
        " origin_transfer, origin_component, origin_class FROM message WHERE id = ?1"_sql);
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
            if (const std::string of = to_text(static_cast<PeerClass>(find.integer(10)));
                !of.empty())
                detail += ", class " + of;
            break;
        case Origin::Kind::internal:
            detail = find.text(5);
            break;
    }
    message.steps.push_back({from_millis(find.integer(3)), "received", "", detail});
}

void add_transfer_steps(Database& database, TracedMessage& message) {
    Query find = database.query(
        "SELECT created_at, id, peer, sends FROM transfer WHERE message = ?1 ORDER BY number"_sql);
    find.bind(message.id.value);
    while (find.step()) {
        const std::int64_t sends = find.integer(3);
        message.steps.push_back(
            {from_millis(find.integer(0)), "transfer", "",
             fmt::format("{} to {}, sent {}", find.text(1), find.text(2),
                         sends == 1 ? std::string("once") : fmt::format("{} times", sends))});
    }
}

void add_events(Database& database, TracedMessage& message) {
    Query find = database.query(
        "SELECT e.at, e.what, COALESCE(r.address, ''), e.detail FROM event e"
        " LEFT JOIN recipient r ON r.message = e.message AND r.n = e.n"
        " WHERE e.message = ?1 ORDER BY e.id DESC LIMIT ?2"_sql);
    find.bind(message.id.value, static_cast<std::int64_t>(base::limits::kEventsKept));
    while (find.step())
        message.steps.push_back(
            {from_millis(find.integer(0)), find.text(1), find.text(2), find.text(3)});
}

void add_recipient_steps(Database& database, TracedMessage& message) {
    struct Row {
        Step step;
        std::int64_t destination;
    };
    std::vector<Row> rows;
    {
        Query find = database.query(
            "SELECT state, address, code, status, reply, remote, ended_at, due_at, attempts, "
            "destination"
            " FROM recipient WHERE message = ?1 ORDER BY n"_sql);
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
        row.step.detail =
            read_destination(database, row.destination).to_text() + ": " + row.step.detail;
        message.steps.push_back(std::move(row.step));
    }
}

/// Without its message, if that is on a damaged page.
ListedRecipient read_listed(Database& database, const Selected& which, bool with_message) {
    ListedRecipient row;
    row.id = which.message;
    row.n = which.n;
    row.state = which.state;
    std::int64_t destination = 0;
    {
        Query find = database.query(
            "SELECT COALESCE(m.received_at, r.message / 1000), COALESCE(m.expires_at, 0),"
            " COALESCE(m.sender, '?'), r.address, COALESCE(m.size, 0), r.attempts, r.due_at,"
            " r.class, COALESCE(m.damage, ''), COALESCE(t.peer, ''), COALESCE(t.id, ''),"
            " COALESCE(t.sends, 0), r.destination, r.code, r.status, r.reply"
            " FROM recipient r LEFT JOIN message m ON m.id = iif(?3, r.message, NULL)"
            " LEFT JOIN transfer t ON t.number = r.transfer WHERE r.message = ?1 AND r.n = ?2"_sql);
        find.bind(which.message.value, static_cast<std::int64_t>(which.n), with_message ? 1 : 0);
        find.step();
        row.received_at = from_millis(find.integer(0));
        row.expires_at = from_millis(find.integer(1));
        row.sender = find.text(2);
        row.address = find.text(3);
        row.size = static_cast<std::size_t>(find.integer(4));
        row.attempts = static_cast<int>(find.integer(5));
        row.due = from_millis(find.integer(6));
        row.mail_class = to_text(static_cast<MailClass>(find.integer(7)));
        row.damage = find.text(8);
        row.peer = find.text(9);
        row.transfer = find.text(10);
        row.sends = static_cast<int>(find.integer(11));
        destination = find.integer(12);
        row.reply = reply_text(find, 13);
    }
    row.destination = read_destination(database, destination);
    return row;
}

ListedRecipient read_listed(Database& database, const Selected& which) {
    try {
        return read_listed(database, which, true);
    } catch (const SQLite::Exception& error) {
        if (!is_damage(error)) throw;
        ListedRecipient row = read_listed(database, which, false);
        row.is_unreadable = true;
        return row;
    }
}

}  // namespace

ListPage list(Database& database, const Selection& selection, const std::optional<Selected>& after,
              std::size_t most) {
    ListPage page;
    page.next = after;
    int unreadable = 0;
    for (int steps = 0; steps < kSteps && page.rows.size() < most; ++steps) {
        const auto some =
            select(database, selection, page.next, most - page.rows.size(), AtDamage::go_on);
        for (const Selected& which : some.found)
            page.rows.push_back(read_listed(database, which));
        page.next = some.next;
        unreadable += some.unreadable;
        if (!page.next || unreadable >= kUnreadable) break;
    }
    return page;
}

void go_on(Database& database, const std::string& name, Search& search) {
    switch (search.next) {
        case Search::Next::id:
            search.found = find_by_id(database, name);
            search.next = search.found.empty() ? Search::Next::message_id : Search::Next::nothing;
            return;
        case Search::Next::message_id:
            look_on(database, search,
                    "SELECT id, message_id = ?1 FROM message WHERE id < ?2 ORDER BY id DESC"
                    " LIMIT ?3"_sql,
                    name.starts_with('<') ? name : "<" + name + ">", kSearched);
            // An address has an @, and nothing else is left.
            if (search.next == Search::Next::address && name.find('@') == std::string::npos)
                search.next = Search::Next::nothing;
            return;
        case Search::Next::address:
            look_on(database, search,
                    "SELECT m.id, folded_address(m.sender) = ?1 OR EXISTS"
                    " (SELECT 1 FROM recipient r WHERE r.message = m.id"
                    "  AND folded_address(r.address) = ?1)"
                    " FROM message m WHERE m.id < ?2 ORDER BY m.id DESC LIMIT ?3"_sql,
                    folded_address(name), kSearchedWhole);
            return;
        case Search::Next::nothing:
            return;
    }
}

std::vector<TracedMessage> trace(Database& database, const std::vector<QueueId>& ids) {
    std::vector<TracedMessage> traced;
    for (const QueueId id : ids) {
        TracedMessage message;
        message.id = id;
        add_arrival_step(database, message);
        add_transfer_steps(database, message);
        add_events(database, message);
        add_recipient_steps(database, message);
        std::ranges::stable_sort(message.steps, {}, &Step::at);
        traced.push_back(std::move(message));
    }
    return traced;
}

}  // namespace queue
