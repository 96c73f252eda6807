#include "queue/delivery/leases.hpp"

#include "base/limits.hpp"
#include "queue/delivery/clock_repair.hpp"
#include "queue/delivery/crashes.hpp"
#include "queue/delivery/fallback.hpp"
#include "queue/delivery/quarantine.hpp"
#include "queue/delivery/settlement.hpp"
#include "queue/log.hpp"
#include "queue/mail_class.hpp"
#include "queue/store/damage.hpp"
#include "queue/store/rows.hpp"

#include <algorithm>
#include <chrono>

#include <sqlite3.h>

namespace queue {
namespace {

// How far ahead a new transfer expires at least: clocks differ by minutes, and what is large takes
// some.
constexpr auto kLastTry = std::chrono::hours(1);

struct DueRow {
    QueueId message;
    std::int64_t n = 0;
    std::string address;
    std::int64_t notify = 0;
    std::string orcpt;
    std::int64_t attempts = 0;
    std::optional<std::int64_t> transfer;
};

/// Rows that travel together: of one message, and of one transfer if they have been given to one.
struct Group {
    QueueId message;
    std::optional<std::int64_t> transfer;
    std::vector<DueRow> rows;
    /// The transfer was sent with these, too, and they are not to be delivered now: an
    /// administrator has ended or held them since. It is repeated as it was, or it would be another
    /// message.
    std::vector<DueRow> beside{};
};

DueRow read_row(const Query& row) {
    return {QueueId{row.integer(0)},
            row.integer(1),
            row.text(2),
            row.integer(3),
            row.text(4),
            row.integer(5),
            row.is_null(6) ? std::nullopt : std::optional(row.integer(6))};
}

/// The recipients of one message that are due behind number `after`.
void add_rest(Store& store, std::int64_t destination, MailClass of, const DueRow& after,
              std::size_t most, std::vector<DueRow>& rows) {
    Query rest = store.database().query(
        "SELECT message, n, address, notify, orcpt, attempts, transfer FROM recipient"
        " WHERE message = ?1 AND n > ?2 AND destination = ?3 AND class = ?4 AND state IN (1, 3)"
        " AND due_at <= ?5 ORDER BY n LIMIT ?6");
    rest.bind(after.message.value, after.n, destination, static_cast<int>(of),
              to_millis(store.now()), static_cast<std::int64_t>(most));
    while (rest.step())
        rows.push_back(read_row(rest));
}

/// At most `limits.recipients` rows; hardly more than `limits.messages` messages need, as what is
/// not leased now is read again next time.
std::vector<DueRow> due_rows(Store& store, std::int64_t destination, MailClass of,
                             const LeaseLimits& limits) {
    constexpr std::size_t kSpare = 8;
    const std::size_t most = std::min(limits.recipients, limits.messages + kSpare);
    Query due = store.database().query(
        "SELECT message, n, address, notify, orcpt, attempts, transfer FROM recipient"
        " WHERE destination = ?1 AND class = ?2 AND state IN (1, 3) AND due_at <= ?3"
        " ORDER BY due_at, message LIMIT ?4");
    due.bind(destination, static_cast<int>(of), to_millis(store.now()),
             static_cast<std::int64_t>(most));
    std::vector<DueRow> rows;
    while (due.step())
        rows.push_back(read_row(due));
    if (rows.size() == most && most < limits.recipients) {
        const DueRow last = rows.back();
        add_rest(store, destination, of, last, limits.recipients - most, rows);
    }
    return rows;
}

/// One of `bulk` for some of `interactive`, in the order of each: however much interactive mail
/// there is, bulk gets on. Which of them is first is chance, as a lease may be for one message
/// only.
std::vector<DueRow> mixed(std::vector<DueRow> interactive, std::vector<DueRow> bulk,
                          base::Random& random) {
    constexpr std::uint64_t kInteractive = 3;  // for one of bulk
    if (interactive.empty()) return bulk;
    if (bulk.empty()) return interactive;
    std::vector<DueRow> rows;
    std::uint64_t turn = random.below(kInteractive + 1);
    auto next = interactive.begin();
    auto next_bulk = bulk.begin();
    while (next != interactive.end() || next_bulk != bulk.end()) {
        const bool is_bulk =
            next == interactive.end() ||
            (turn++ % (kInteractive + 1) == kInteractive && next_bulk != bulk.end());
        rows.push_back(std::move(is_bulk ? *next_bulk++ : *next++));
    }
    return rows;
}

std::vector<DueRow> due_rows(Store& store, std::int64_t destination, Portion portion,
                             const LeaseLimits& limits) {
    if (portion == Portion::large) return due_rows(store, destination, MailClass::large, limits);
    auto interactive = due_rows(store, destination, MailClass::interactive, limits);
    auto bulk = due_rows(store, destination, MailClass::bulk, limits);
    return mixed(std::move(interactive), std::move(bulk), store.random());
}

/// All rows of the group's transfer, whether due or not: it is sent again with the recipients that
/// it had.
void add_transfer_rows(Store& store, Group& group) {
    Query find = store.database().query(
        "SELECT r.message, r.n, r.address, r.notify, r.orcpt, r.attempts, r.transfer, r.state,"
        " COALESCE(t.sends, 0) FROM recipient r LEFT JOIN transfer t ON t.number = r.transfer"
        " WHERE r.message = ?1 AND r.transfer = ?2 ORDER BY r.n");
    find.bind(group.message.value, *group.transfer);
    group.rows.clear();
    while (find.step()) {
        const auto state = static_cast<State>(find.integer(7));
        const bool was_sent = find.integer(8) > 0;
        if (state == State::queued || state == State::deferred)
            group.rows.push_back(read_row(find));
        else if (was_sent)
            group.beside.push_back(read_row(find));
    }
}

std::vector<Group> group(Store& store, std::vector<DueRow> rows) {
    std::vector<Group> groups;
    std::map<std::pair<QueueId, std::int64_t>, std::size_t> places;
    for (DueRow& row : rows) {
        const auto [place, is_new] =
            places.try_emplace({row.message, row.transfer.value_or(0)}, groups.size());
        if (is_new) groups.push_back({row.message, row.transfer, {}, {}});
        groups[place->second].rows.push_back(std::move(row));
    }
    for (Group& each : groups) {
        // A transfer sent again has to have the same digest: its recipients stand in one order,
        // always.
        std::ranges::sort(each.rows, {}, &DueRow::n);
        if (each.transfer) add_transfer_rows(store, each);
    }
    return groups;
}

base::Result<OutgoingTransfer> existing_transfer(Store& store, std::int64_t number,
                                                 const Ready& ready) {
    std::optional<OutgoingTransfer> transfer;
    {
        Query find = store.database().query(
            "SELECT id, domain, peer, sends, expires_at, dsn FROM transfer WHERE number = ?1");
        if (!find.bind(number).step())
            return base::fail(base::Errc::damaged, "a transfer's row is gone");
        auto domain = mail::Domain::parse(find.text(1));
        if (!domain) return base::fail(base::Errc::damaged, "a transfer's row is damaged");
        transfer = OutgoingTransfer{{std::move(*domain), find.text(0)},
                                    find.text(2),
                                    find.integer(3) > 0,
                                    from_millis(find.integer(4)),
                                    find.integer(5) != 0};
    }
    // What never left may go to whoever serves the domain now; anything else stays with its peer.
    if (!transfer->sent_before) {
        transfer->peer = ready.peer;
        transfer->dsn = ready.dsn;
    }
    Query use = store.database().query(
        "UPDATE transfer SET sends = sends + 1, peer = ?2, dsn = ?3 WHERE number = ?1");
    use.bind(number, transfer->peer, static_cast<int>(transfer->dsn)).run();
    return std::move(*transfer);
}

base::Result<OutgoingTransfer> new_transfer(Store& store, const Destination& destination,
                                            const Ready& ready, const MessageRow& message,
                                            const Group& group) {
    const auto domain = store.router().sending_domain(message.envelope.from, destination.component);
    if (!domain) {
        return base::fail(base::Errc::refused,
                          destination.component + " no longer sends for the sender's domain");
    }
    // No receiver takes an `expires` beyond its retention; the margin is for its clock.
    using std::chrono::seconds;
    const auto retention = std::min<seconds>(ready.retention, base::limits::kRetention);
    const auto margin = std::min<seconds>(retention / 8, std::chrono::hours(24));
    const auto furthest = store.now() + (retention - margin);
    // The last try of mail whose time is up needs some, too.
    const base::TimePoint wanted = std::max(message.expires_at, store.now() + kLastTry);
    const base::TimePoint expires = std::min<base::TimePoint>(wanted, furthest);
    OutgoingTransfer transfer{
        {*domain, store.next_transfer_id()}, ready.peer, false, expires, ready.dsn};
    {
        Query insert = store.database().query(
            "INSERT INTO transfer (id, domain, message, peer, sends, created_at, expires_at, dsn)"
            " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)");
        insert
            .bind(transfer.key.id, domain->ascii(), message.id.value, ready.peer,
                  to_millis(store.now()), to_millis(expires), static_cast<int>(ready.dsn))
            .run();
    }
    const std::int64_t number = store.database().last_rowid();
    for (const DueRow& row : group.rows) {
        Query assign = store.database().query(
            "UPDATE recipient SET transfer = ?3 WHERE message = ?1 AND n = ?2");
        assign.bind(row.message.value, row.n, number).run();
    }
    return transfer;
}

/// It can't be given out now. What may not go this way any more goes another one; what is damaged
/// goes to quarantine; what the disk does not give out is tried again, as it may come back, and is
/// reported when its time is up.
base::Result<void> put_aside(Store& store, const Destination& destination, const Group& group,
                             const base::Error& why, Woken& woken) {
    if (why.code == base::Errc::damaged) {
        const auto told = quarantine(store, group.message, why.text);
        if (!told) return told.error();
        if (*told) add_all(woken, {**told});
        return {};
    }
    const bool reroute = why.code == base::Errc::refused && !group.transfer;
    for (const DueRow& row : group.rows) {
        const auto n = static_cast<std::uint32_t>(row.n);
        base::Result<std::optional<Destination>> way = std::optional<Destination>();
        if (reroute) way = move_from_component(store, destination, row.message, row.n, why.text);
        if (!way) return way.error();
        if (*way) {
            add_all(woken, {**way});
        } else {
            const auto attempts = static_cast<int>(row.attempts) + 1;
            const auto next = store.now() + store.settings().retry.wait(attempts, store.random());
            Query update = store.database().query(
                "UPDATE recipient SET state = 3, attempts = ?3, due_at = ?4, code = 451, status = "
                "'4.3.0',"
                " reply = ?5, remote = '' WHERE message = ?1 AND n = ?2");
            update.bind(row.message.value, row.n, attempts, to_millis(next), why.text).run();
            add_event(store, row.message, n, "deferred", "451 4.3.0 " + why.text);
        }
    }
    store.after_commit([id = group.message, why] { log::put_aside(id, why.text); });
    return {};
}

/// Another one that may end the process is under way.
void let_wait(Store& store, const Group& group) {
    for (const DueRow& row : group.rows) {
        Query update = store.database().query(
            "UPDATE recipient SET due_at = ?3 WHERE message = ?1 AND n = ?2");
        update.bind(row.message.value, row.n, to_millis(store.now() + kSuspectPause)).run();
    }
}

/// Its time is up, and its last try ends with a content that the disk does not give out.
base::Result<void> give_up(Store& store, const Group& group, const base::Error& why, Woken& woken) {
    std::vector<std::uint32_t> recipients;
    for (const DueRow& row : group.rows)
        recipients.push_back(static_cast<std::uint32_t>(row.n));
    const Deferred last{{451, {4, 3, 0}, why.text}, "", false, {}};
    const auto more = expire_recipients(store, group.message, recipients, last);
    if (!more) return more.error();
    add_all(woken, *more);
    return {};
}

/// Whether a stanza with the transfer of these rows may have left.
bool was_sent(Store& store, const Group& group) {
    if (!group.transfer) return false;
    Query find = store.database().query("SELECT sends FROM transfer WHERE number = ?1");
    return find.bind(*group.transfer).step() && find.integer(0) > 0;
}

/// The recipients of the group, added to those of `envelope`.
base::Result<void> add_recipients(const Group& group, mail::Envelope& envelope) {
    for (const auto* const rows : {&group.rows, &group.beside}) {
        for (const DueRow& due : *rows) {
            auto recipient = to_recipient(due.n, due.address, due.notify, due.orcpt);
            if (!recipient) return recipient.error();
            envelope.recipients.push_back(std::move(*recipient));
        }
    }
    std::ranges::sort(envelope.recipients, {}, &mail::Recipient::n);
    return {};
}

/// As many of the first recipients as one envelope has room for; the rest is leased later. What has
/// been given to a transfer stays together.
void keep_what_fits(const Ready& ready, Group& group, mail::Envelope& envelope) {
    const EnvelopeLimit& limit = ready.limits.envelope;
    if (group.transfer || limit.of_recipient == nullptr) return;
    std::size_t bytes = limit.of_head(envelope, ready.dsn);
    std::size_t fit = 0;
    for (const mail::Recipient& recipient : envelope.recipients) {
        bytes += limit.of_recipient(recipient, ready.dsn);
        if (bytes > limit.bytes && fit > 0) break;
        ++fit;
    }
    // Without a transfer there is nothing beside the rows, which stand in the same order.
    envelope.recipients.erase(envelope.recipients.begin() + static_cast<std::ptrdiff_t>(fit),
                              envelope.recipients.end());
    group.rows.resize(fit);
}

base::Result<LeasedMessage> lease_group(Store& store, const Destination& destination,
                                        const Ready& ready, MessageRow row, Group group) {
    LeasedMessage leased;
    if (auto added = add_recipients(group, row.envelope); !added) return added.error();
    keep_what_fits(ready, group, row.envelope);
    auto content = read_content(store, row.id, row.size);
    if (!content) return content.error();
    leased.content = std::move(*content);
    if (destination.lane == Lane::xmpp) {
        auto transfer = group.transfer ? existing_transfer(store, *group.transfer, ready)
                                       : new_transfer(store, destination, ready, row, group);
        if (!transfer) return transfer.error();
        leased.transfer = std::move(*transfer);
    }
    for (const DueRow& due : group.rows) {
        // The attempt counts from now on, so that one in which the process ends counts, too.
        Query update = store.database().query(
            "UPDATE recipient SET state = 2, attempts = attempts + 1 WHERE message = ?1 AND n = "
            "?2");
        update.bind(due.message.value, due.n).run();
    }
    leased.id = row.id;
    leased.envelope = std::move(row.envelope);
    leased.origin = std::move(row.origin);
    leased.received_at = row.received_at;
    leased.expires_at = row.expires_at;
    leased.call_back = ready.call_back;
    leased.rule = store.router().rule(destination.domain);
    return leased;
}

/// On a damaged page: nothing can be written to its own row. Only its recipients are held.
void hold_unreadable(Store& store, QueueId message) {
    static constexpr const char* kWhy = "it is on a damaged page of the queue's database";
    Query hold = store.database().query(
        "UPDATE recipient SET state = 4, code = 451, status = '4.3.0', reply = ?2, remote = ''"
        " WHERE message = ?1 AND state IN (1, 2, 3)");
    hold.bind(message.value, kWhy).run();
    store.after_commit([message] { log::quarantined(message, kWhy); });
}

/// Those of the messages that SQLite can't read. False if it finds none that was not known.
bool find_unreadable(Store& store, const std::vector<Group>& groups) {
    bool found = false;
    for (const Group& each : groups) {
        try {
            (void)read_message(store, each.message);
            Query content =
                store.database().query("SELECT length(bytes) FROM content WHERE message = ?1");
            content.bind(each.message.value).step();
        } catch (const SQLite::Exception& error) {
            if (error.getErrorCode() != SQLITE_CORRUPT) throw;
            found = store.note_unreadable(each.message) || found;
        }
    }
    return found;
}

base::Result<Lease> lease_groups(Store& store, const Destination& destination, const Ready& ready,
                                 Portion portion, const std::vector<Group>& groups) {
    Lease result;
    const std::size_t most = portion == Portion::large ? 1 : ready.limits.messages;
    std::size_t bytes = 0;
    for (const Group& each : groups) {
        if (result.messages.size() >= most) break;
        if (store.is_unreadable(each.message)) {
            hold_unreadable(store, each.message);
            continue;
        }
        auto row = read_message(store, each.message);
        if (ready.call_back && !was_sent(store, each)) continue;
        const bool is_over = row && store.is_over(row->expires_at);
        const auto too_long =
            row ? waits_too_long(store, destination, row->received_at) : std::nullopt;
        const bool was_tried =
            std::ranges::all_of(each.rows, [](const DueRow& due) { return due.attempts > 0; });
        if (too_long && was_tried && !was_sent(store, each)) {
            for (const DueRow& due : each.rows)
                add_all(result.woken,
                        {move_around(store, destination, due.message, due.n, *too_long)});
            continue;
        }
        if (row && !result.messages.empty() && bytes + row->size > ready.limits.bytes) break;
        const bool is_alone = row && goes_alone(row->crashes);
        if (is_alone && !result.messages.empty()) break;
        if (row && has_to_wait(store, row->crashes)) {
            let_wait(store, each);
            continue;
        }
        auto leased = row ? lease_group(store, destination, ready, std::move(*row), each)
                          : base::Result<LeasedMessage>(row.error());
        if (!leased) {
            const auto aside =
                is_over && leased.error().code == base::Errc::storage
                    ? give_up(store, each, leased.error(), result.woken)
                    : put_aside(store, destination, each, leased.error(), result.woken);
            if (!aside) return aside.error();
            continue;
        }
        if (too_long && was_tried && !leased->call_back) leased->call_back = too_long;
        bytes += leased->content.size();
        result.messages.push_back(std::move(*leased));
        if (is_alone) break;
    }
    if (result.messages.empty())
        result.next = next_due(store, store.number_of(destination), portion);
    return result;
}

}  // namespace

base::Result<Lease> lease(Store& store, const Destination& destination, const Ready& ready,
                          Portion portion) {
    const std::int64_t number = store.number_of(destination);
    pull_in(store, number);
    const auto groups = group(store, due_rows(store, number, portion, ready.limits));
    try {
        return lease_groups(store, destination, ready, portion, groups);
    } catch (const SQLite::Exception& error) {
        if (error.getErrorCode() != SQLITE_CORRUPT || !find_unreadable(store, groups)) throw;
        // SQLite lets nothing be written any more until the whole transaction is undone. The next
        // lease holds them.
        store.note_damage(error.what());
        throw UnreadableMessage(error.what(), SQLITE_CORRUPT);
    }
}

std::optional<base::TimePoint> next_due(Store& store, const Destination& destination) {
    return next_due(store, store.number_of(destination));
}

std::optional<base::TimePoint> next_due(Store& store, std::int64_t number) {
    const auto small = next_due(store, number, Portion::small);
    const auto large = next_due(store, number, Portion::large);
    return small && large ? std::min(small, large) : small ? small : large;
}

std::optional<base::TimePoint> next_due(Store& store, std::int64_t number, Portion portion) {
    std::optional<base::TimePoint> first;
    for (const auto of : {MailClass::interactive, MailClass::bulk, MailClass::large}) {
        if ((of == MailClass::large) != (portion == Portion::large)) continue;
        Query next = store.database().query(
            "SELECT due_at FROM recipient WHERE destination = ?1 AND class = ?2"
            " AND state IN (1, 3) ORDER BY due_at LIMIT 1");
        if (!next.bind(number, static_cast<int>(of)).step()) continue;
        const base::TimePoint now = store.now();
        const base::TimePoint due = waits_too_long_by_far(store, number, static_cast<int>(of))
                                        ? now
                                        : from_millis(next.integer(0));
        first = std::min(first.value_or(due), due);
    }
    return first;
}

}  // namespace queue
