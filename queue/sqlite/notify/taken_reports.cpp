#include "queue/sqlite/notify/taken_reports.hpp"

#include "queue/log.hpp"
#include "queue/sqlite/notify/reports.hpp"
#include "queue/sqlite/store/rows.hpp"

namespace queue {
namespace {

// How soon a peer may report of the same recipient that it is delayed still: more tells its sender
// nothing, and is a mail each time.
constexpr auto kDelayAgain = std::chrono::hours(24);

struct Reported {
    std::int64_t transfer = 0;
    QueueId message;
};

base::Result<Reported> find_transfer(Store& store, const PeerReport& report,
                                     const std::string& peer) {
    Query find = store.database().query(
        "SELECT number, message, peer FROM transfer WHERE id = ?1 AND domain = ?2"_sql);
    if (!find.bind(report.key.id, report.key.domain.ascii()).step())
        return base::fail(base::Errc::not_found,
                          "no transfer of ours is known as " + report.key.id);
    if (find.text(2) != peer)
        return base::fail(base::Errc::refused,
                          "transfer " + report.key.id + " did not go to " + peer);
    return Reported{find.integer(0), QueueId{find.integer(1)}};
}

/// How far a recipient has come by what was reported of it. Stored as numbers.
enum class Stage : std::uint8_t { nothing = 0, delayed = 1, passed_on = 2, ended = 3 };

Stage step_of(mail::Action action) {
    switch (action) {
        case mail::Action::delayed:
            return Stage::delayed;
        case mail::Action::relayed:
        case mail::Action::expanded:
            return Stage::passed_on;
        case mail::Action::failed:
        case mail::Action::delivered:
            break;
    }
    return Stage::ended;
}

/// A time in the future was written while the clock was ahead.
bool is_long_ago(Store& store, base::TimePoint time) {
    const auto age = store.now() - time;
    return (age >= kDelayAgain || age < age.zero()) && store.may_end_by_time();
}

bool was_here(Store& store, const Reported& reported, std::uint32_t seq) {
    Query find =
        store.database().query("SELECT 1 FROM report WHERE transfer = ?1 AND seq = ?2"_sql);
    return find.bind(reported.transfer, static_cast<std::int64_t>(seq)).step();
}

void remember(Store& store, const Reported& reported, std::uint32_t seq) {
    Query insert = store.database().query("INSERT INTO report (transfer, seq) VALUES (?1, ?2)"_sql);
    insert.bind(reported.transfer, static_cast<std::int64_t>(seq)).run();
}

/// What the line tells of its recipient; nothing if that is nothing new, or if its sender has heard
/// from us already how it ended.
base::Result<std::optional<Notification>> told_by(Store& store, const Reported& reported,
                                                  const PeerReport::Line& line) {
    Query find = store.database().query(
        "SELECT address, notify, orcpt, state, reported, reported_at FROM recipient"
        " WHERE message = ?1 AND n = ?2 AND transfer = ?3"_sql);
    if (!find.bind(reported.message.value, static_cast<std::int64_t>(line.n), reported.transfer)
             .step())
        return base::fail(base::Errc::not_found,
                          "the transfer has no recipient " + std::to_string(line.n));
    const auto state = static_cast<State>(find.integer(3));
    if (!has_ended(state)) return base::fail(base::Errc::busy, "the transfer has no verdict yet");
    // It has failed or expired here, or the peer itself has refused it.
    if (state != State::relayed) return std::optional<Notification>();
    const auto step = step_of(line.action);
    const auto before = static_cast<Stage>(find.integer(4));
    const bool again = step == Stage::delayed && before == Stage::delayed &&
                       is_long_ago(store, from_millis(find.integer(5)));
    if (step <= before && !again) return std::optional<Notification>();
    Notification notification{line.n, {}, notify_from_bits(find.integer(1))};
    notification.reported.address = find.text(0);
    notification.reported.orcpt = find.text(2);
    notification.reported.action = line.action;
    notification.reported.reply = line.reply;
    notification.reported.remote_mta = line.mta;
    notification.reported.final_address = line.final_address;
    notification.reported.last_attempt = line.at;
    return std::optional(std::move(notification));
}

void record(Store& store, const Reported& reported, const Notification& notification,
            const std::string& peer) {
    const auto& each = notification.reported;
    {
        Query update = store.database().query(
            "UPDATE recipient SET reported = ?3, reported_at = ?4 WHERE message = ?1 AND n = ?2"_sql);
        update
            .bind(reported.message.value, static_cast<std::int64_t>(notification.n),
                  static_cast<int>(step_of(each.action)), to_millis(store.now()))
            .run();
    }
    const std::string what(mail::to_text(each.action));
    add_event(
        store, reported.message, notification.n, ("peer-" + what).c_str(),
        each.reply.to_text() + " (" + (each.remote_mta.empty() ? peer : each.remote_mta) + ")");
    store.after_commit(
        [id = reported.message, address = each.address, what, peer, reply = each.reply] {
            log::peer_reported(id, address, what, reply, peer);
        });
}

}  // namespace

base::Result<DueNow> take_report(Store& store, const PeerReport& report, const std::string& peer) {
    const auto reported = find_transfer(store, report, peer);
    if (!reported) return reported.error();
    if (was_here(store, *reported, report.seq)) return DueNow();
    std::vector<Notification> notifications;
    for (const PeerReport::Line& line : report.recipients) {
        auto each = told_by(store, *reported, line);
        if (!each) return each.error();
        if (*each) notifications.push_back(std::move(**each));
    }
    // Only what says something new leaves a trace, so that there is no more of it than there are
    // steps.
    if (notifications.empty()) return DueNow();
    remember(store, *reported, report.seq);
    const auto row = read_message(store, reported->message);
    if (!row) return row.error();
    for (const Notification& each : notifications)
        record(store, *reported, each, peer);
    const auto where = add_report(store, *row, notifications);
    if (!where) return where.error();
    return *where ? DueNow{**where} : DueNow();
}

}  // namespace queue
