#include "queue/delays.hpp"

#include "base/limits.hpp"
#include "queue/log.hpp"
#include "queue/reports.hpp"
#include "queue/rows.hpp"
#include "queue/settlement.hpp"

#include <algorithm>
#include <chrono>

namespace queue {
namespace {

struct Waiting {
    QueueId id;
    std::vector<std::int64_t> numbers;  ///< of all its recipients that were looked at
    std::vector<mail::Recipient> recipients;
};

struct Found {
    std::vector<Waiting> messages;
    std::size_t rows = 0;
};

struct Reach {
    QueueId until;      ///< messages up to it came early enough
    bool more = false;  ///< and perhaps more do
};

/// How far behind `after`, at most kPruned messages on, all have come until `latest`. Queue ids are
/// in the order of arrival, but no times: a clock that was ahead leaves them ahead.
Reach find_reach(Store& store, QueueId after, base::TimePoint latest) {
    Reach reach{after, false};
    std::size_t seen = 0;
    Query find = store.database().query(
        "SELECT c.message, m.received_at FROM content c JOIN message m ON m.id = c.message"
        " WHERE c.message > ?1 ORDER BY c.message LIMIT ?2");
    find.bind(after.value, static_cast<std::int64_t>(base::limits::kPruned));
    while (find.step()) {
        if (from_millis(find.integer(1)) > latest) return reach;
        reach.until = QueueId{find.integer(0)};
        ++seen;
    }
    reach.more = seen >= base::limits::kPruned;
    return reach;
}

/// Of messages in (after, until] that are not at their end.
Found find_waiting(Store& store, QueueId after, QueueId until) {
    Found found;
    auto& messages = found.messages;
    Query find = store.database().query(
        "SELECT r.message, r.n, r.address, r.notify, r.orcpt FROM content c"
        " JOIN recipient r ON r.message = c.message"
        " WHERE c.message > ?1 AND c.message <= ?2 AND r.state IN (1, 2, 3) AND r.warned = 0"
        " ORDER BY c.message, r.n LIMIT ?3");
    find.bind(after.value, until.value, static_cast<std::int64_t>(base::limits::kPruned));
    while (find.step()) {
        const QueueId id{find.integer(0)};
        ++found.rows;
        if (messages.empty() || messages.back().id != id) messages.push_back({id, {}, {}});
        messages.back().numbers.push_back(find.integer(1));
        auto recipient = to_recipient(find.integer(1), find.text(2), find.integer(3), find.text(4));
        // What is damaged is found out by its next delivery.
        if (recipient) messages.back().recipients.push_back(std::move(*recipient));
    }
    return found;
}

base::Result<std::optional<Destination>> warn(Store& store, const Waiting& waiting) {
    // Those, too, of whom nothing can be said: the sweep would never get beyond them.
    for (const std::int64_t n : waiting.numbers) {
        Query mark =
            store.database().query("UPDATE recipient SET warned = 1 WHERE message = ?1 AND n = ?2");
        mark.bind(waiting.id.value, n).run();
    }
    const auto row = read_message(store, waiting.id);
    if (!row || waiting.recipients.empty()) return std::optional<Destination>();
    std::vector<Told> told;
    for (const mail::Recipient& recipient : waiting.recipients) {
        const Deferred last = last_word(store, waiting.id, recipient.n);
        mail::ReportedRecipient reported;
        reported.address = recipient.address.text();
        reported.orcpt = recipient.orcpt;
        reported.action = mail::Action::delayed;
        reported.reply = last.reply;
        if (mail::Domain::parse(last.remote)) reported.remote_mta = last.remote;
        reported.retry_until = row->expires_at;
        told.push_back({recipient.n, std::move(reported), recipient.notify});
    }
    store.after_commit([id = waiting.id, count = told.size(),
                        age = store.age_of(row->received_at)] { log::delayed(id, count, age); });
    return add_report(store, *row, told);
}

}  // namespace

base::Result<DelaySweep> warn_of_delays(Store& store, QueueId after) {
    const auto wait = store.settings().delay_warning;
    if (wait <= std::chrono::milliseconds::zero()) return DelaySweep{after, false, {}};
    if (!store.may_end_by_time()) return DelaySweep{after, false, {}};
    const Reach reach = find_reach(store, after, store.now() - wait);
    const QueueId until = reach.until;
    const Found found = find_waiting(store, after, until);
    DelaySweep sweep;
    for (const Waiting& each : found.messages) {
        const auto told = warn(store, each);
        if (!told) return told.error();
        if (*told) add_all(sweep.woken, {**told});
    }
    const bool cut = found.rows >= base::limits::kPruned;
    // The last one may have more recipients than were looked at.
    sweep.seen = cut ? QueueId{found.messages.back().id.value - 1} : std::max(after, until);
    sweep.more = cut || reach.more;
    return sweep;
}

}  // namespace queue
