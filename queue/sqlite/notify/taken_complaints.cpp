#include "queue/sqlite/notify/taken_complaints.hpp"

#include "mail/organisation.hpp"
#include "queue/log.hpp"
#include "queue/sender_limits.hpp"
#include "queue/sqlite/store/standings.hpp"

#include <map>
#include <utility>

namespace queue {
namespace {

/// What a peer has said of a transfer. Stored as numbers.
enum class Said : std::uint8_t { nothing = 0, spam = 1, not_spam = 2 };

struct SentRow {
    std::int64_t number = 0;
    std::string towards;
    std::string sender;
    std::int64_t message = 0;
    Said said = Said::nothing;
    std::int64_t said_day = 0;
};

base::Result<SentRow> find_sent(Store& store, const TransferKey& key, const std::string& peer) {
    Query find = store.database().query(
        "SELECT number, towards, sender, message, said, said_day, peer, at FROM sent_transfer"
        " WHERE id = ?1 AND domain = ?2"_sql);
    if (!find.bind(key.id, key.domain.ascii()).step() ||
        from_millis(find.integer(7)) + kComplaintTime < store.now())
        return base::fail(base::Errc::not_found, "no transfer of ours is known as " + key.id);
    if (find.text(6) != peer)
        return base::fail(base::Errc::refused, "transfer " + key.id + " did not go to " + peer);
    return SentRow{find.integer(0),
                   find.text(1),
                   find.text(2),
                   find.integer(3),
                   static_cast<Said>(find.integer(4)),
                   find.integer(5)};
}

/// One more of this organisation today.
base::Result<void> take_todays_share(Store& store, const std::string& peer, std::int64_t today) {
    const std::string organisation = mail::Organisation::of(peer).name();
    Query count = store.database().query(
        "INSERT INTO complaint_share (organisation, day, kept, taken) VALUES (?1, ?2, 0, 1)"
        " ON CONFLICT (organisation, day) DO UPDATE SET taken = taken + 1 RETURNING taken"_sql);
    count.bind(organisation, today);
    if (count.step() && count.integer(0) <= kComplaintsTaken) return {};
    return base::fail(base::Errc::busy, organisation + " has complained often enough today");
}

void note_said(Store& store, std::int64_t number, Said said, std::int64_t day) {
    Query note = store.database().query(
        "UPDATE sent_transfer SET said = ?2, said_day = ?3 WHERE number = ?1"_sql);
    note.bind(number, static_cast<int>(said), day).run();
}

/// The first of a day is this domain's vote; not again after one that was taken back and reported.
bool add_complaint(Store& store, const SentRow& row, const std::string& sender,
                   std::int64_t today) {
    Query add = store.database().query(
        "INSERT INTO sender_complaint (sender, domain, day, complaints, reported, message,"
        " first_at, path) VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6) ON CONFLICT (sender, domain, day)"
        " DO UPDATE SET complaints = complaints + 1, message = ?4"
        " RETURNING complaints + reported"_sql);
    add.bind(sender, row.towards, today, row.message, to_millis(store.now()), row.sender);
    return add.step() && add.integer(0) == 1;
}

/// What was reported stays so, or the next one of this day would be reported anew.
void remove_complaint(Store& store, const SentRow& row, const std::string& sender) {
    {
        Query less = store.database().query(
            "UPDATE sender_complaint SET complaints = complaints - 1"
            " WHERE sender = ?1 AND domain = ?2 AND day = ?3 AND complaints > 0"_sql);
        less.bind(sender, row.towards, row.said_day).run();
    }
    Query none = store.database().query(
        "DELETE FROM sender_complaint"
        " WHERE sender = ?1 AND domain = ?2 AND day = ?3 AND complaints = 0 AND reported = 0"_sql);
    none.bind(sender, row.towards, row.said_day).run();
}

}  // namespace

SenderComplaints complaints_against(Store& store, const std::string& sender,
                                    const std::string& domain) {
    const std::int64_t today = to_number(today_of(store));
    SenderComplaints sum{sender, domain, 0, 0};
    Query find = store.database().query(
        "SELECT complaints FROM sender_complaint"
        " WHERE sender = ?1 AND domain = ?2 AND day > ?3 AND day <= ?4 AND complaints > 0"_sql);
    find.bind(sender, domain, today - kSlowDays, today);
    while (find.step()) {
        ++sum.days;
        sum.complaints += find.integer(0);
    }
    return sum;
}

base::Result<std::optional<SenderComplaints>> take_complaint(Store& store,
                                                             const Complaint& complaint,
                                                             const std::string& peer) {
    const auto row = find_sent(store, complaint.key, peer);
    if (!row) return row.error();
    const std::int64_t today = to_number(today_of(store));
    // It goes forward: what was said before, or taken back, is not said again.
    const bool is_new =
        complaint.is_spam ? row->said == Said::nothing : row->said != Said::not_spam;
    if (!is_new) return std::optional<SenderComplaints>();
    if (auto room = take_todays_share(store, peer, today); !room) return room.error();
    note_said(store, row->number, complaint.is_spam ? Said::spam : Said::not_spam, today);
    // Nobody has sent a report of ours.
    if (row->sender.empty()) return std::optional<SenderComplaints>();
    const std::string sender = sender_name(row->sender);
    bool is_vote = false;
    if (complaint.is_spam)
        is_vote = add_complaint(store, *row, sender, today);
    else if (row->said == Said::spam)
        remove_complaint(store, *row, sender);
    auto sum = complaints_against(store, sender, row->towards);
    if (is_vote)
        store.after_commit([sum, from = row->sender, id = QueueId{row->message}] {
            log::complaints_on_sender(from, sum.domain, sum.days, pause_after_complaints(sum.days),
                                      id);
        });
    return std::optional(std::move(sum));
}

bool is_slowed(Store& store, const Destination& to, const Origin& origin,
               const mail::ReversePath& from) {
    const bool may_be = store.settings().complaints.take && to.lane == Lane::xmpp &&
                        origin.kind == Origin::Kind::smtp && from;
    if (!may_be) return false;
    return complaints_against(store, sender_name(*from), to.domain).days > 0;
}

std::vector<SenderComplaints> list_complaints(Database& database, std::chrono::sys_days today,
                                              std::size_t most) {
    std::vector<SenderComplaints> found;
    std::map<std::pair<std::string, std::string>, std::size_t> places;
    Query find = database.query(
        "SELECT sender, domain, complaints FROM sender_complaint"
        " WHERE day > ?1 AND day <= ?2 AND complaints > 0 ORDER BY day DESC LIMIT ?3"_sql);
    find.bind(to_number(today) - kSlowDays, to_number(today), static_cast<std::int64_t>(most));
    while (find.step()) {
        const auto [place, is_new] =
            places.emplace(std::pair(find.text(0), find.text(1)), found.size());
        if (is_new) found.push_back({find.text(0), find.text(1), 0, 0});
        SenderComplaints& each = found[place->second];
        ++each.days;
        each.complaints += find.integer(2);
    }
    return found;
}

}  // namespace queue
