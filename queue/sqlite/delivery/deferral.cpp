#include "queue/sqlite/delivery/deferral.hpp"

#include "base/limits.hpp"
#include "queue/delivery/expiry.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/delivery/clock_repair.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/delivery/rerouting.hpp"
#include "queue/sqlite/delivery/settlement.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <algorithm>
#include <map>

namespace queue {
namespace {

std::int64_t number_in_sql(std::uint32_t n) {
    return static_cast<std::int64_t>(n);
}

/// One step of putting a destination off.
class Deferring {
  public:
    Deferring(Store& store, const Destination& destination, const Silence& silence)
        : store_(store),
          destination_(destination),
          silence_(silence),
          moment_(store.moment()),
          given_up_(given_up_until(store.router(), destination, silence.why, moment_)) {}

    /// What is not due goes another way, too, if it has to.
    DueTimes looks_at() const {
        if (given_up_) return {};
        return {base::TimePoint::min(), moment_.now};
    }

    bool has_room() const { return ended_.size() < kStepEnded && bytes_ < kStepBytes; }

    void take(const WaitingRow& row) {
        const bool is_due = row.place.due <= to_millis(moment_.now);
        if (is_due && row.is_whole &&
            ends_with_destination(silence_.why, silence_.found, row.expires_at, moment_)) {
            auto& numbers = ended_[row.message];
            if (numbers.empty()) bytes_ += std::min(row.size, base::limits::kInlineContent);
            numbers.push_back(row.n);
        } else if (row.is_whole && !row.was_sent && given_up_ && row.received_at <= *given_up_) {
            const std::string why =
                "not reached over XMPP in time (fallback-after): " + silence_.why.reply.text;
            add_all(result_.due_now, {move_around(store_, destination_, row.message, row.n, why)});
            ++moved_;
        } else if (is_due) {
            put_off(row);
        }
    }

    base::Result<Stepped> finish() {
        for (const auto& [id, recipients] : ended_) {
            auto more = expire_recipients(store_, id, recipients, silence_.why);
            if (!more && more.error().code == base::Errc::damaged) {
                // Its sender can't be told now: somebody has to look.
                const auto report_to = quarantine(store_, id, more.error().text);
                if (!report_to) return report_to.error();
                more = *report_to ? DueNow{**report_to} : DueNow();
            }
            if (!more) return more.error();
            add_all(result_.due_now, *more);
        }
        if (moved_ > 0) log_move();
        return std::move(result_);
    }

  private:
    void put_off(const WaitingRow& row) {
        const mail::Reply& reply = silence_.why.reply;
        // A reason that is the same as before is seen in `attempts`, and not written again each
        // time.
        if (row.reply != reply.text)
            add_event(store_, row.message, row.n, "deferred", reply.to_text());
        Query update = store_.database().query(
            "UPDATE recipient SET state = {deferred}, attempts = attempts + 1, due_at = ?3, "
            "code = ?4, status = ?5, reply = ?6, remote = ?7 WHERE message = ?1 AND n = ?2"_sql);
        update
            .bind(row.message.value, number_in_sql(row.n), to_millis(silence_.until), reply.code,
                  reply.status.to_text(), reply.text, silence_.why.remote)
            .run();
        ++result_.changed;
    }

    void log_move() {
        store_.after_commit([destination = destination_,
                             way = way_around(store_.router(), destination_),
                             why = silence_.why.reply.text, moved = moved_] {
            log::destination_rerouted(destination, way, "fallback-after: " + why, moved);
        });
    }

    Store& store_;
    const Destination& destination_;
    const Silence& silence_;
    const Moment moment_;
    const std::optional<base::TimePoint> given_up_;  ///< what came until then goes by SMTP
    std::map<QueueId, std::vector<std::uint32_t>> ended_;
    std::size_t bytes_ = 0;
    int moved_ = 0;
    Stepped result_;
};

}  // namespace

base::Result<Stepped> defer_some(Store& store, const Destination& destination,
                                 const Silence& silence, const WaitingPlace& behind) {
    const std::int64_t number = store.number_of(destination);
    pull_in(store, number);
    Deferring deferring(store, destination, silence);  // its time is not before that of pull_in()
    const auto rows = waiting_rows(store, number, behind, deferring.looks_at(), kStepRows);
    std::optional<WaitingPlace> next;
    for (const WaitingRow& row : rows) {
        if (!deferring.has_room()) break;
        deferring.take(row);
        next = row.place;
    }
    const bool all = rows.size() < kStepRows && deferring.has_room();
    auto result = deferring.finish();
    if (result && !all) result->next = next;
    return result;
}

base::Result<Stepped> wake_some(Store& store, const MakeDue& op) {
    const auto rows =
        waiting_rows(store, store.number_of(op.destination), op.behind, {store.now()}, kStepRows);
    Stepped result;
    for (const WaitingRow& row : rows) {
        if (!op.all && !row.status.starts_with("4.4.")) continue;
        Query wake = store.database().query(
            "UPDATE recipient SET due_at = ?3 WHERE message = ?1 AND n = ?2"_sql);
        wake.bind(row.message.value, number_in_sql(row.n), to_millis(store.now())).run();
        ++result.changed;
    }
    if (rows.size() >= kStepRows) result.next = rows.back().place;
    return result;
}

namespace {

/// One recipient of what is rerouted. Nothing: it has to wait.
base::Result<std::optional<Destination>> reroute_one(Store& store, const Destination& destination,
                                                     const WaitingRow& row, const std::string& why,
                                                     bool is_orphan, bool waits) {
    if (is_orphan && row.is_whole) {
        auto way = move_from_component(store, destination, row.message, row.n, why);
        // Whose mail it is, can't be read. The next lease sees that, and puts it aside.
        if (way || way.error().code != base::Errc::damaged) return way;
    }
    if (waits) return std::optional<Destination>();
    return std::optional(move_around(store, destination, row.message, row.n, why));
}

}  // namespace

base::Result<RerouteStep> reroute_some(Store& store, const Destination& destination,
                                       const std::string& why, const WaitingPlace& behind) {
    RerouteStep result;
    result.waits = must_wait(store.router(), destination, why);
    const bool is_orphan = is_orphaned(store.router(), destination);
    if (result.waits && !is_orphan) return result;
    const auto rows = waiting_rows(store, store.number_of(destination), behind, {}, kStepRows);
    std::map<Destination, int> moved;
    for (const WaitingRow& row : rows) {
        if (row.was_sent) continue;
        const auto way =
            reroute_one(store, destination, row, why, is_orphan, result.waits.has_value());
        if (!way) return way.error();
        if (!*way) continue;
        ++moved[**way];
        ++result.changed;
        add_all(result.due_now, {**way});
    }
    if (rows.size() >= kStepRows) result.next = rows.back().place;
    if (result.changed > 0)
        store.after_commit([destination, why, moved] {
            for (const auto& [way, count] : moved)
                log::destination_rerouted(destination, way, why, count);
        });
    return result;
}

}  // namespace queue
