#include "queue/sqlite/delivery/clock_repair.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace queue {
namespace {

constexpr std::int64_t kPulledIn = 1000;  // recipients in one step: more than one lease takes
// A clock that is corrected by less changes nothing that matters.
constexpr auto kFuture = base::ClockTrust::kJump;
// History begins to age when no report can come any more (kept_headers), which is no later than
// this.
constexpr auto kKeptMost =
    base::limits::kRetention + base::limits::kReportGrace + std::chrono::hours(24);

struct Times {
    QueueId id;
    base::TimePoint received;
    base::TimePoint expires;
    std::optional<base::TimePoint> ended;
    bool from_peer = false;
};

std::vector<Times> behind(Store& store, QueueId after) {
    std::vector<Times> found;
    Query find = store.database().query(
        "SELECT id, received_at, expires_at, ended_at, origin_kind FROM message WHERE id > ?1"
        " ORDER BY id LIMIT ?2"_sql);
    find.bind(after.value, static_cast<std::int64_t>(base::limits::kPruned));
    while (find.step())
        found.push_back(
            {QueueId{find.integer(0)}, from_millis(find.integer(1)), from_millis(find.integer(2)),
             find.is_null(3) ? std::nullopt : std::optional(from_millis(find.integer(3))),
             find.integer(4) == static_cast<int>(Origin::Kind::xmpp)});
    return found;
}

/// As of a message that has come now.
base::TimePoint expiry(const Times& times, base::TimePoint now) {
    // Of what a peer has sent, it is the peer's word.
    if (times.from_peer)
        return std::min<base::TimePoint>(times.expires, now + base::limits::kRetention);
    return now + std::max(times.expires - times.received, base::TimePoint::duration::zero());
}

void correct(Store& store, const Times& times, base::TimePoint now) {
    const base::TimePoint ended = std::min(times.ended.value_or(now), now);
    const auto late = times.ended.value_or(now) - ended;
    Query update = store.database().query(
        "UPDATE message SET received_at = ?2, expires_at = ?3,"
        " ended_at = CASE WHEN ended_at IS NULL THEN NULL ELSE ?4 END, kept_from = kept_from - ?5"
        " WHERE id = ?1"_sql);
    update
        .bind(times.id.value, to_millis(std::min(times.received, ended)),
              to_millis(expiry(times, now)), to_millis(ended), late.count())
        .run();
}

}  // namespace

void pull_in(Store& store, std::int64_t number) {
    const base::TimePoint now = store.now();
    Query update = store.database().query(
        "UPDATE recipient SET due_at = ?2 WHERE (message, n) IN (SELECT message, n FROM recipient"
        " WHERE destination = ?1 AND class IN ({interactive}, {bulk}, {large}) AND state IN "
        "({queued}, {deferred}) AND due_at > ?3"
        " LIMIT ?4)"_sql);
    update.bind(number, to_millis(now), to_millis(store.settings().retry.furthest(now)), kPulledIn)
        .run();
}

bool waits_too_long_by_far(Store& store, std::int64_t number, int mail_class) {
    Query find = store.database().query(
        "SELECT 1 FROM recipient WHERE destination = ?1 AND class = ?2 AND state IN ({queued}, "
        "{deferred}) AND due_at > ?3 LIMIT 1"_sql);
    find.bind(number, mail_class, to_millis(store.settings().retry.furthest(store.now())));
    return find.step();
}

Corrected correct_arrivals(Store& store, QueueId after) {
    Corrected done{after, false, 0};
    if (!store.may_end_by_time()) return done;
    const base::TimePoint now = store.now();
    // No id is older than its message.
    const QueueId first{std::chrono::microseconds(now.time_since_epoch()).count()};
    const auto found = behind(store, std::max(after, first));
    for (const Times& times : found) {
        if (times.received <= now + kFuture) continue;
        correct(store, times, now);
        ++done.count;
    }
    // The history of what only ended while the clock was ahead.
    Query history = store.database().query(
        "UPDATE message SET ended_at = MIN(ended_at, ?1), kept_from = ?1 WHERE id IN"
        " (SELECT id FROM message WHERE kept_from > ?2 LIMIT ?3)"_sql);
    history
        .bind(to_millis(now), to_millis(now + kKeptMost),
              static_cast<std::int64_t>(base::limits::kPruned))
        .run();
    if (!found.empty()) done.seen = found.back().id;
    done.more = found.size() >= base::limits::kPruned;
    if (done.count > 0)
        store.after_commit([count = done.count] { log::arrivals_corrected(count); });
    return done;
}

CorrectionStep correct_times(Store& store, QueueId after, std::uint64_t believed) {
    store.keep_clock();
    const std::uint64_t now = store.clock_trust()->look().times_believed;
    return {now, correct_arrivals(store, now == believed ? after : QueueId())};
}

}  // namespace queue
