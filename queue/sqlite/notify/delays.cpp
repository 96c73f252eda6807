#include "queue/sqlite/notify/delays.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/notify/reports.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

struct Waiting {
    QueueId id;
    std::vector<std::int64_t> numbers;  ///< of all its recipients that were looked at
    std::vector<mail::Recipient> recipients;
};

// Recipients that one step looks at: ten milliseconds; more than a message has.
constexpr std::int64_t kLooks = 5000;

struct Place {
    QueueId message;
    std::int64_t n = 0;
};

struct Found {
    std::vector<Place> unwarned;
    QueueId last;       ///< the message that was looked at last
    bool more = false;  ///< there may be more behind it, and of it
};

/// Of messages behind `after` that had come by `latest` and have not ended. Queue ids are in the
/// order of arrival, but no times: a clock that was ahead leaves them ahead.
Found find_unwarned(Store& store, QueueId after, base::TimePoint latest) {
    Found found{{}, after};
    Query find = store.database().query(
        "SELECT r.message, r.n, r.warned, m.received_at FROM recipient r"
        " JOIN message m ON m.id = r.message WHERE r.ended_at IS NULL AND r.message > ?1"
        " ORDER BY r.message, r.n LIMIT ?2"_sql);
    find.bind(after.value, kLooks);
    std::int64_t looks = 0;
    while (!found.more && find.step()) {
        if (from_millis(find.integer(3)) > latest) break;
        found.last = QueueId{find.integer(0)};
        if (find.integer(2) == 0) found.unwarned.push_back({found.last, find.integer(1)});
        found.more = ++looks == kLooks || found.unwarned.size() == base::limits::kPruned;
    }
    return found;
}

/// Those of them that wait: what is held may be released, and is warned of later.
std::vector<Waiting> read_waiting(Store& store, const std::vector<Place>& places) {
    std::vector<Waiting> messages;
    for (const Place& place : places) {
        Query find = store.database().query(
            "SELECT address, notify, orcpt FROM recipient"
            " WHERE message = ?1 AND n = ?2 AND state IN ({queued}, {leased}, {deferred})"_sql);
        if (!find.bind(place.message.value, place.n).step()) continue;
        if (messages.empty() || messages.back().id != place.message)
            messages.push_back({place.message, {}, {}});
        messages.back().numbers.push_back(place.n);
        auto recipient = to_recipient(place.n, find.text(0), find.integer(1), find.text(2));
        // What is damaged is found out by its next delivery.
        if (recipient) messages.back().recipients.push_back(std::move(*recipient));
    }
    return messages;
}

base::Result<std::optional<Destination>> warn(Store& store, const Waiting& waiting) {
    // Those, too, of whom nothing can be said: the sweep would never get beyond them.
    for (const std::int64_t n : waiting.numbers) {
        Query mark = store.database().query(
            "UPDATE recipient SET warned = 1 WHERE message = ?1 AND n = ?2"_sql);
        mark.bind(waiting.id.value, n).run();
    }
    const auto row = read_message(store, waiting.id);
    if (!row || waiting.recipients.empty()) return std::optional<Destination>();
    std::vector<Notification> notifications;
    for (const mail::Recipient& recipient : waiting.recipients) {
        const Deferred last = last_word(store, waiting.id, recipient.n);
        mail::ReportedRecipient reported;
        reported.address = recipient.address.text();
        reported.orcpt = recipient.orcpt;
        reported.action = mail::Action::delayed;
        reported.reply = last.reply;
        if (mail::Domain::parse(last.remote)) reported.remote_mta = last.remote;
        reported.retry_until = row->expires_at;
        notifications.push_back({recipient.n, std::move(reported), recipient.notify});
    }
    store.after_commit(
        [id = waiting.id, count = notifications.size(),
         age = store.moment().age_of(row->received_at)] { log::delayed(id, count, age); });
    return add_report(store, *row, notifications);
}

}  // namespace

base::Result<DelaySweep> warn_of_delays(Store& store, QueueId after) {
    const auto wait = store.settings().delay_warning;
    if (wait <= std::chrono::milliseconds::zero()) return DelaySweep{after, false, {}};
    if (!store.may_end_by_time()) return DelaySweep{after, false, {}};
    const Found found = find_unwarned(store, after, store.now() - wait);
    DelaySweep sweep;
    for (const Waiting& each : read_waiting(store, found.unwarned)) {
        const auto report_to = warn(store, each);
        if (!report_to) return report_to.error();
        if (*report_to) add_all(sweep.due_now, {**report_to});
    }
    sweep.more = found.more;
    // The last one may have more recipients than were looked at.
    sweep.seen = found.more ? QueueId{found.last.value - 1} : found.last;
    return sweep;
}

}  // namespace queue
