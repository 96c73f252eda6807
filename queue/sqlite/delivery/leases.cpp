#include "queue/sqlite/delivery/leases.hpp"

#include "queue/delivery/leasing.hpp"
#include "queue/log.hpp"
#include "queue/mail_class.hpp"
#include "queue/sqlite/delivery/clock_repair.hpp"
#include "queue/sqlite/delivery/crashes.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/delivery/rerouting.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/notify/taken_complaints.hpp"
#include "queue/sqlite/store/damage.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <algorithm>
#include <chrono>

#include <sqlite3.h>

namespace queue {
namespace {

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
        " WHERE message = ?1 AND n > ?2 AND destination = ?3 AND class = ?4 AND state IN "
        "({queued}, {deferred})"
        " AND due_at <= ?5 ORDER BY n LIMIT ?6"_sql);
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
        "SELECT message, n, address, notify, orcpt, attempts, transfer FROM recipient WHERE "
        "destination = ?1 AND class = ?2 AND state IN ({queued}, {deferred}) AND due_at <= ?3 "
        "ORDER BY due_at, message LIMIT ?4"_sql);
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
        " WHERE r.message = ?1 AND r.transfer = ?2 ORDER BY r.n"_sql);
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
            "SELECT id, domain, peer, sends, expires_at, dsn FROM transfer WHERE number = ?1"_sql);
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
        "UPDATE transfer SET sends = sends + 1, peer = ?2, dsn = ?3 WHERE number = ?1"_sql);
    use.bind(number, transfer->peer, static_cast<int>(transfer->dsn)).run();
    return std::move(*transfer);
}

/// Its recipients become those of the group when they are leased.
base::Result<OutgoingTransfer> new_transfer(Store& store, const Destination& destination,
                                            const Ready& ready, const MessageRow& message,
                                            Group& group) {
    const auto domain = store.router().sending_domain(message.envelope.from, destination.component);
    if (!domain) {
        return base::fail(base::Errc::refused,
                          destination.component + " no longer sends for the sender's domain");
    }
    const auto expires = transfer_expiry(message.expires_at, ready.retention, store.now());
    OutgoingTransfer transfer{
        {*domain, store.next_transfer_id()}, ready.peer, false, expires, ready.dsn};
    {
        Query insert = store.database().query(
            "INSERT INTO transfer (id, domain, message, peer, sends, created_at, expires_at, dsn)"
            " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)"_sql);
        insert
            .bind(transfer.key.id, domain->ascii(), message.id.value, ready.peer,
                  to_millis(store.now()), to_millis(expires), static_cast<int>(ready.dsn))
            .run();
    }
    group.transfer = store.database().last_rowid();
    return transfer;
}

/// It can't be given out now. What may not go this way any more goes another one; what is damaged
/// goes to quarantine; what the disk does not give out is tried again, as it may come back, and is
/// reported when its time is up.
base::Result<void> defer_or_hold(Store& store, const Destination& destination, const Group& group,
                                 const base::Error& why, DueNow& due_now) {
    if (why.code == base::Errc::damaged) {
        const auto report_to = quarantine(store, group.message, why.text);
        if (!report_to) return report_to.error();
        if (*report_to) add_all(due_now, {**report_to});
        return {};
    }
    const bool reroute = why.code == base::Errc::refused && !group.transfer;
    for (const DueRow& row : group.rows) {
        const auto n = static_cast<std::uint32_t>(row.n);
        base::Result<std::optional<Destination>> way = std::optional<Destination>();
        if (reroute) way = move_from_component(store, destination, row.message, row.n, why.text);
        if (!way) return way.error();
        if (*way) {
            add_all(due_now, {**way});
        } else {
            const auto attempts = static_cast<int>(row.attempts) + 1;
            const auto next = store.now() + store.settings().retry.wait(attempts, store.random());
            Query update = store.database().query(
                "UPDATE recipient SET state = {deferred}, attempts = ?3, due_at = ?4, code = "
                "451, status = '4.3.0', reply = ?5, remote = '' WHERE message = ?1 AND n = ?2"_sql);
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
            "UPDATE recipient SET due_at = ?3 WHERE message = ?1 AND n = ?2"_sql);
        update.bind(row.message.value, row.n, to_millis(store.now() + kSuspectPause)).run();
    }
}

/// Its time is up, and its last try ends with a content that the disk does not give out.
base::Result<void> give_up(Store& store, const Group& group, const base::Error& why,
                           DueNow& due_now) {
    std::vector<std::uint32_t> recipients;
    for (const DueRow& row : group.rows)
        recipients.push_back(static_cast<std::uint32_t>(row.n));
    const Deferred last{{451, {4, 3, 0}, why.text}, "", false, {}};
    const auto more = expire_recipients(store, group.message, recipients, last);
    if (!more) return more.error();
    add_all(due_now, *more);
    return {};
}

/// Whether a stanza with the transfer of these rows may have left.
bool was_sent(Store& store, const Group& group) {
    if (!group.transfer) return false;
    Query find = store.database().query("SELECT sends FROM transfer WHERE number = ?1"_sql);
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

/// What does not fit into one envelope is leased later. What has been given to a transfer stays
/// together.
void keep_what_fits(const Ready& ready, Group& group, mail::Envelope& envelope) {
    if (group.transfer) return;
    // Without a transfer there is nothing beside the rows, which stand in the same order.
    const std::size_t fit = recipients_that_fit(envelope, ready.limits.envelope, ready.dsn);
    envelope.recipients.erase(envelope.recipients.begin() + static_cast<std::ptrdiff_t>(fit),
                              envelope.recipients.end());
    group.rows.resize(fit);
}

base::Result<LeasedMessage> lease_group(Store& store, const Destination& destination,
                                        const Ready& ready, MessageRow row, Group group,
                                        std::optional<std::string> call_back) {
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
            "UPDATE recipient SET state = {leased}, attempts = attempts + 1, transfer = ?3 WHERE "
            "message = ?1 AND n = ?2"_sql);
        update->bind(1, due.message.value);
        update->bind(2, due.n);
        if (group.transfer) update->bind(3, *group.transfer);
        update.run();
    }
    leased.id = row.id;
    leased.envelope = std::move(row.envelope);
    leased.origin = std::move(row.origin);
    if (destination.lane == Lane::local && leased.origin.transfer)
        leased.sender_class = class_of_peer(store, leased.origin.transfer->domain);
    leased.received_at = row.received_at;
    leased.expires_at = row.expires_at;
    leased.call_back = std::move(call_back);
    leased.rule = store.router().rule(destination);
    return leased;
}

/// On a damaged page: nothing can be written to its own row. Only its recipients are held.
void hold_unreadable(Store& store, QueueId message) {
    static constexpr const char* kWhy = "it is on a damaged page of the queue's database";
    Query hold = store.database().query(
        "UPDATE recipient SET state = {held}, code = 451, status = '4.3.0', reply = ?2, remote = ''"
        " WHERE message = ?1 AND state IN ({queued}, {leased}, {deferred})"_sql);
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
                store.database().query("SELECT length(bytes) FROM content WHERE message = ?1"_sql);
            content.bind(each.message.value).step();
        } catch (const SQLite::Exception& error) {
            if (error.getErrorCode() != SQLITE_CORRUPT) throw;
            found = store.note_unreadable(each.message) || found;
        }
    }
    return found;
}

/// What is due of one destination, message by message.
class Leasing {
  public:
    Leasing(Store& store, const Destination& destination, const Ready& ready)
        : store_(store), destination_(destination), ready_(ready), moment_(store.moment()) {}

    /// False: nothing more goes into this lease.
    base::Result<bool> take(const Group& group) {
        if (store_.is_unreadable(group.message)) {
            hold_unreadable(store_, group.message);
            return true;
        }
        const bool sent = was_sent(store_, group);
        auto row = read_message(store_, group.message);
        if (!row) {
            if (ready_.call_back && !sent) return true;
            return defer_or_hold(group, row.error());
        }
        // What only waits for its turn has been leased, but not tried.
        const bool tried =
            std::ranges::all_of(group.rows, [](const DueRow& due) { return due.attempts > 0; }) &&
            !is_slowed(store_, destination_, row->origin, row->envelope.from);
        const Due due{row->received_at,
                      row->size,
                      sent,
                      tried,
                      goes_alone(row->crashes),
                      has_to_wait(store_, row->crashes)};
        const LeaseSoFar so_far{lease_.messages.size(), bytes_};
        const auto judgement = judge(due, so_far, destination_, ready_, store_.router(), moment_);
        return std::visit([&](const auto& each) { return apply(group, *row, each); }, judgement);
    }

    std::size_t messages() const { return lease_.messages.size(); }
    Lease finish() { return std::move(lease_); }

  private:
    base::Result<bool> apply(const Group& group, MessageRow& row, const GivenOut& given) {
        const bool is_over = moment_.is_over(row.expires_at);
        auto leased =
            lease_group(store_, destination_, ready_, std::move(row), group, given.call_back);
        if (!leased) {
            if (!is_over || leased.error().code != base::Errc::storage)
                return defer_or_hold(group, leased.error());
            const auto ended = give_up(store_, group, leased.error(), lease_.due_now);
            return ended ? base::Result<bool>(true) : ended.error();
        }
        bytes_ += leased->content.size();
        lease_.messages.push_back(std::move(*leased));
        return !given.is_last;
    }
    base::Result<bool> apply(const Group& group, const MessageRow&, const Rerouted& rerouted) {
        for (const DueRow& due : group.rows)
            add_all(lease_.due_now,
                    {move_around(store_, destination_, due.message, due.n, rerouted.why)});
        return true;
    }
    base::Result<bool> apply(const Group& group, const MessageRow&, const KeptBack&) {
        let_wait(store_, group);
        return true;
    }
    static base::Result<bool> apply(const Group&, const MessageRow&, const PassedOver&) {
        return true;
    }
    static base::Result<bool> apply(const Group&, const MessageRow&, const NoRoom&) {
        return false;
    }
    base::Result<bool> defer_or_hold(const Group& group, const base::Error& why) {
        const auto done = queue::defer_or_hold(store_, destination_, group, why, lease_.due_now);
        return done ? base::Result<bool>(true) : done.error();
    }

    Store& store_;
    const Destination& destination_;
    const Ready& ready_;
    const Moment moment_;
    Lease lease_;
    std::size_t bytes_ = 0;
};

base::Result<Lease> lease_groups(Store& store, const Destination& destination, const Ready& ready,
                                 Portion portion, const std::vector<Group>& groups) {
    const std::size_t most = portion == Portion::large ? 1 : ready.limits.messages;
    Leasing leasing(store, destination, ready);
    for (const Group& each : groups) {
        if (leasing.messages() >= most) break;
        const auto goes_on = leasing.take(each);
        if (!goes_on) return goes_on.error();
        if (!*goes_on) break;
    }
    Lease lease = leasing.finish();
    if (lease.messages.empty()) lease.next = next_due(store, store.number_of(destination), portion);
    return lease;
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

base::Result<Leased> lease_due(Store& store, const LeaseDue& asked) {
    Leased due;
    for (const Portion portion : {Portion::small, Portion::large}) {
        if (!(portion == Portion::small ? asked.small : asked.large)) continue;
        auto leased = lease(store, asked.destination, asked.ready, portion);
        if (!leased) return leased.error();
        add_all(leased->due_now, due.lease.due_now);
        due.lease = std::move(*leased);
        due.portion = portion;
        if (!due.lease.messages.empty()) break;
        const auto next = due.lease.next.value_or(base::TimePoint::max());
        (portion == Portion::small ? due.next_small : due.next_large) = next;
    }
    return due;
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
            " AND state IN ({queued}, {deferred}) ORDER BY due_at LIMIT 1"_sql);
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
