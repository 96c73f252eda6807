#include "queue/sqlite/delivery/settlement.hpp"

#include "queue/delivery/settling.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/delivery/crashes.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/delivery/rerouting.hpp"
#include "queue/sqlite/notify/kept_headers.hpp"
#include "queue/sqlite/notify/reports.hpp"
#include "queue/sqlite/store/complaint_rows.hpp"
#include "queue/sqlite/store/rows.hpp"
#include "queue/sqlite/store/standings.hpp"
#include "queue/sqlite/store/under_way.hpp"

#include <algorithm>

namespace queue {
namespace {

/// One message being settled: collects what has to be done once for all its recipients.
class Recording {
  public:
    Recording(Store& store, MessageRow row)
        : store_(store), row_(std::move(row)), moment_(store.moment()) {}

    /// Records `outcome` of recipient `n`, unless that has ended, or is not leased and has to be.
    base::Result<void> record(std::uint32_t n, const Outcome& outcome, bool must_be_leased) {
        const auto found = find(n, must_be_leased);
        if (!found) return found.error();
        if (!*found) return {};
        const auto becomes =
            transition(attempted_, outcome, store_.router(), moment_, store_.random());
        std::visit([this](const auto& each) { apply(each); }, becomes);
        if (const auto* const done = std::get_if<Delivered>(&outcome)) {
            log_delivery(*done);
            if (attempted_.destination.lane == Lane::xmpp)
                keep_sent(store_, row_.id, n, mail::to_text(row_.envelope.from),
                          attempted_.destination.domain);
        }
        if (const auto* const failed = std::get_if<Failed>(&outcome)) count_refusal(failed->reply);
        return {};
    }

    /// Its time is up, and it had its last try.
    base::Result<void> expire(std::uint32_t n, const Deferred& last) {
        const auto found = find(n, false);
        if (!found) return found.error();
        // A lease would have counted the try.
        ++attempted_.attempts;
        if (*found) apply(expired(attempted_, last));
        return {};
    }

    /// An administrator ends recipient `n`.
    base::Result<void> end_for_operator(std::uint32_t n, bool bounce) {
        const auto ended =
            cancelled(was_sent(store_, row_.id, n), bounce, store_.settings().hostname);
        if (bounce) {
            const auto found = find(n, false);
            if (!found) return found.error();
            if (*found) apply(ended);
            return {};
        }
        // It need not be one that can be read.
        end(n, 0, ended);
        add_event(store_, row_.id, n, "cancelled", ended.reply.text);
        return {};
    }

    /// Stores the report if one is due, and ends the message when all its recipients have.
    base::Result<DueNow> finish() {
        if (row_.origin.transfer)
            count_for_peer(store_, row_.origin.transfer->domain, told_of_peer_);
        if (!notifications_.empty()) {
            auto report = is_report_ ? add_undelivered_report(store_, row_, notifications_.front())
                                     : add_report(store_, row_, notifications_);
            if (!report) return report.error();
            if (*report) due_now_.push_back(**report);
        }
        if (!held_.empty()) {
            const auto report = hold_back(store_, row_, held_, why_held_);
            if (!report) return report.error();
            if (*report) add_all(due_now_, {**report});
        }
        if (ended_ > 0) {
            if (auto counted = count_down(); !counted) return counted.error();
        }
        return std::move(due_now_);
    }

  private:
    /// Makes recipient `n` the current one; false if there is nothing to be recorded of it.
    base::Result<bool> find(std::uint32_t n, bool must_be_leased) {
        Query row = store_.database().query(
            "SELECT destination, address, notify, orcpt, attempts, state,"
            " (SELECT sends FROM transfer WHERE number = recipient.transfer) FROM recipient"
            " WHERE message = ?1 AND n = ?2"_sql);
        if (!row.bind(row_.id.value, static_cast<std::int64_t>(n)).step()) return false;
        const auto state = static_cast<State>(row.integer(5));
        if (must_be_leased ? state != State::leased : has_ended(state)) return false;
        auto recipient = to_recipient(n, row.text(1), row.integer(2), row.text(3));
        if (!recipient) return recipient.error();
        current_ = std::move(*recipient);
        attempted_ = {store_.destination(row.integer(0)),
                      static_cast<int>(row.integer(4)),
                      row.integer(6) > 0,
                      row_.expires_at,
                      current_->notify.success,
                      store_.router().is_promised(row_.envelope.from, current_->address.domain())};
        return true;
    }

    void apply(const Ended& ended) {
        end(current_->n, attempted_.attempts, ended);
        if (!ended.notice) return;
        tell(*ended.notice);
        if (ended.notice->action != mail::Action::failed) return;
        is_report_ = attempted_.destination.lane == Lane::report;
        store_.after_commit([id = row_.id, to = current_->address,
                             destination = attempted_.destination,
                             reply = ended.reply] { log::failed(id, to, destination, reply); });
    }

    void apply(const TriedAgain& again) {
        const Deferred& why = again.why;
        Query update = store_.database().query(
            "UPDATE recipient SET state = {deferred}, attempts = ?3, due_at = ?4, code = ?5, "
            "status = ?6, reply = ?7, remote = ?8, transfer = CASE ?9 WHEN 1 THEN NULL ELSE "
            "transfer END WHERE message = ?1 AND n = ?2"_sql);
        update
            .bind(row_.id.value, static_cast<std::int64_t>(current_->n), attempted_.attempts,
                  to_millis(again.due), why.reply.code, why.reply.status.to_text(), why.reply.text,
                  why.remote, static_cast<int>(why.settled))
            .run();
        add_event(store_, row_.id, current_->n, "deferred", why.reply.to_text());
        store_.after_commit([id = row_.id, to = current_->address,
                             destination = attempted_.destination, reply = why.reply,
                             due = again.due] { log::deferred(id, to, destination, reply, due); });
    }

    void apply(const Held& held) {
        held_.push_back({current_->n, current_->address.text(), attempted_.attempts});
        why_held_ = held;
    }

    void apply(const Rerouted& rerouted) {
        const Destination way =
            move_around(store_, attempted_.destination, row_.id, current_->n, rerouted.why);
        due_now_.push_back(way);
        store_.after_commit([id = row_.id, to = current_->address, way, why = rerouted.why] {
            log::rerouted(id, to, way, why);
        });
    }

    void log_delivery(const Delivered& outcome) {
        store_.after_commit([id = row_.id, to = current_->address,
                             destination = attempted_.destination, outcome,
                             age = moment_.age_of(row_.received_at)] {
            log::delivered(id, to, destination, outcome, age);
        });
    }

    /// What our mail server says of a recipient that we had taken, for the peer book.
    void count_refusal(const mail::Reply& reply) {
        if (attempted_.destination.lane != Lane::local) return;
        told_of_peer_.unknown += is_unknown_recipient(reply) ? 1 : 0;
        told_of_peer_.refused += store_.settings().content_refusals.has(reply) ? 1 : 0;
    }

    void end(std::uint32_t n, int attempts, const Ended& ended) {
        Query update = store_.database().query(
            "UPDATE recipient SET state = ?3, attempts = MAX(attempts, ?4), code = ?5, status "
            "= ?6, reply = ?7, remote = ?8, ended_at = ?9 WHERE message = ?1 AND n = ?2"_sql);
        const mail::Reply& reply = ended.reply;
        update
            .bind(row_.id.value, static_cast<std::int64_t>(n), static_cast<int>(ended.state),
                  attempts, reply.code, reply.status.to_text(), reply.text, ended.remote,
                  to_millis(moment_.now))
            .run();
        ++ended_;
    }

    void tell(const Notice& notice) {
        mail::ReportedRecipient reported;
        reported.address = current_->address.text();
        reported.orcpt = current_->orcpt;
        reported.action = notice.action;
        reported.reply = notice.reply;
        // A report names who spoke by a host name, or not at all: then the words are ours.
        if (mail::Domain::parse(notice.remote)) reported.remote_mta = notice.remote;
        notifications_.push_back({current_->n, std::move(reported), current_->notify});
    }

    base::Result<void> count_down() {
        const bool may_end = row_.pending <= ended_;
        const auto reported = may_end ? last_report(store_, row_) : std::nullopt;
        if (!may_end || !end_message(reported)) {
            Query update = store_.database().query(
                "UPDATE message SET pending = pending - ?2 WHERE id = ?1"_sql);
            update.bind(row_.id.value, ended_).run();
            return {};
        }
        if (row_.origin.kind == Origin::Kind::xmpp) {
            store_.after_commit([&store = store_, peer = row_.origin.client, size = row_.size] {
                store.peer_load().went(peer, size);
            });
        }
        if (reported) {
            if (auto kept = keep_header(store_, row_); !kept) return kept;
        }
        remove_content();
        return {};
    }

    /// False if others of its recipients have not ended. One statement, as each mail goes this way.
    bool end_message(const std::optional<base::TimePoint>& reported) {
        const base::TimePoint kept_from =
            reported ? std::max(moment_.now, *reported - store_.settings().history) : moment_.now;
        Query end = store_.database().query(
            "UPDATE message SET pending = 0, ended_at = ?3, kept_from = ?4"
            " WHERE id = ?1 AND pending = ?2 AND ended_at IS NULL"_sql);
        end.bind(row_.id.value, ended_, to_millis(moment_.now), to_millis(kept_from)).run();
        return store_.database().changes() > 0;
    }

    void remove_content() {
        // The type alone: the content itself need not be read for that. RETURNING costs more than
        // all of it.
        {
            Query remove = store_.database().query(
                "DELETE FROM content WHERE message = ?1 AND typeof(bytes) <> 'null'"_sql);
            remove.bind(row_.id.value).run();
            if (store_.database().changes() > 0) return;
        }
        Query remove = store_.database().query("DELETE FROM content WHERE message = ?1"_sql);
        remove.bind(row_.id.value).run();
        if (store_.database().changes() == 0) return;
        store_.after_commit(
            [this_store = &store_, id = row_.id] { this_store->files().remove(id); });
    }

    Store& store_;
    MessageRow row_;
    const Moment moment_;
    std::optional<mail::Recipient> current_;
    Attempted attempted_;  ///< what is known of it
    int ended_ = 0;
    std::vector<Notification> notifications_;
    std::vector<HeldRecipient> held_;
    PeerFigures told_of_peer_;
    Held why_held_;           // of all of them: one transfer is settled at a time
    bool is_report_ = false;  // it is a report to a peer, and could not be delivered
    DueNow due_now_;
};

/// Nothing of the transfers of these recipients left: they are as unsent as before the lease.
void take_back_send(Store& store, const MessageOutcome& outcome) {
    if (outcome.recipients.empty()) return;
    Query update = store.database().query(
        "UPDATE transfer SET sends = sends - 1 WHERE sends > 0 AND number ="
        " (SELECT transfer FROM recipient WHERE message = ?1 AND n = ?2 AND state = {leased})"_sql);
    update.bind(outcome.id.value, static_cast<std::int64_t>(outcome.recipients.front().n)).run();
}

/// What became of it can't be recorded as it should be. It must not go out again by itself.
base::Result<DueNow> give_to_quarantine(Store& store, const MessageOutcome& outcome,
                                        const base::Error& why) {
    for (const RecipientOutcome& each : outcome.recipients) {
        const auto* const delivered = std::get_if<Delivered>(&each.outcome);
        if (delivered == nullptr) continue;
        add_event(store, outcome.id, each.n, "delivered", delivered->reply.to_text());
    }
    {
        Query release = store.database().query(
            "UPDATE recipient SET state = {deferred} WHERE message = ?1 AND state = {leased}"_sql);
        release.bind(outcome.id.value).run();
    }
    const auto report_to = quarantine(store, outcome.id, why.text);
    if (!report_to) return report_to.error();
    return *report_to ? DueNow{**report_to} : DueNow{};
}

}  // namespace

base::Result<DueNow> settle(Store& store, const std::vector<MessageOutcome>& outcomes) {
    DueNow due_now;
    for (const MessageOutcome& outcome : outcomes) {
        auto row = read_message(store, outcome.id);
        if (!row && row.error().code == base::Errc::damaged) {
            const auto held = give_to_quarantine(store, outcome, row.error());
            if (!held) return held.error();
            add_all(due_now, *held);
            continue;
        }
        if (!row) return row.error();
        if (row->crashes > 0) has_survived(store, outcome.id);
        if (const auto called = call_next(store, row->crashes)) add_all(due_now, {*called});
        if (!outcome.sent) take_back_send(store, outcome);
        Recording recording(store, std::move(*row));
        for (const RecipientOutcome& each : outcome.recipients) {
            if (auto recorded = recording.record(each.n, each.outcome, true); !recorded)
                return recorded.error();
        }
        auto more = recording.finish();
        if (!more) return more.error();
        add_all(due_now, *more);
    }
    return due_now;
}

base::Result<DueNow> settle_or_hold(Store& store, const MessageOutcome& outcome) {
    const std::size_t actions = store.actions();
    base::Error why;
    store.database().execute("SAVEPOINT outcome"_sql);
    try {
        auto settled = settle(store, {outcome});
        if (settled) {
            store.database().execute("RELEASE outcome"_sql);
            return settled;
        }
        why = settled.error();
    } catch (const SQLite::Exception& error) {
        // No fault of this outcome: the disk is full, or fails.
        if (!store.database().in_transaction()) throw;
        why = base::fail(base::Errc::storage, error.what());
    }
    store.drop_actions(actions);
    store.database().execute("ROLLBACK TO outcome"_sql);
    store.database().execute("RELEASE outcome"_sql);
    why.text = "what became of it can't be recorded: " + why.text;
    return give_to_quarantine(store, outcome, why);
}

base::Result<DueNow> end_recipients(Store& store, QueueId message,
                                    const std::vector<std::uint32_t>& recipients, bool bounce) {
    auto row = read_message(store, message);
    if (!row && bounce) return row.error();
    const bool has_row = row.has_value();
    if (!has_row) {
        // Only the number of what ends is needed.
        row = MessageRow();
        row->id = message;
    }
    // One that can't be read must not leave the others ended without their report.
    if (bounce) {
        if (auto sound = check_recipients(store, message, recipients); !sound) return sound.error();
    }
    Recording recording(store, std::move(*row));
    for (const std::uint32_t n : recipients) {
        if (auto ended = recording.end_for_operator(n, bounce); !ended) return ended.error();
    }
    auto due_now = recording.finish();
    leave_if_none_is_held(store, message);
    if (!has_row) {
        // There is no count of what is left.
        Query remove = store.database().query(
            "DELETE FROM content WHERE message = ?1"
            " AND NOT EXISTS (SELECT 1 FROM recipient WHERE message = ?1 AND state < {delivered})"_sql);
        remove.bind(message.value).run();
    }
    return due_now;
}

base::Result<DueNow> reroute_recipients(Store& store, QueueId message,
                                        const std::vector<std::uint32_t>& recipients,
                                        const std::string& why) {
    auto row = read_message(store, message);
    if (!row) return row.error();
    Recording recording(store, std::move(*row));
    for (const std::uint32_t n : recipients) {
        if (auto recorded = recording.record(n, Rerouted{why}, false); !recorded)
            return recorded.error();
    }
    const auto more = recording.finish();
    if (!more) return more.error();
    DueNow due_now;
    add_all(due_now, *more);
    return due_now;
}

base::Result<DueNow> expire_recipients(Store& store, QueueId message,
                                       const std::vector<std::uint32_t>& recipients,
                                       const std::optional<Deferred>& last) {
    auto row = read_message(store, message);
    if (!row) return row.error();
    if (auto sound = check_recipients(store, message, recipients); !sound) return sound.error();
    Recording recording(store, std::move(*row));
    for (const std::uint32_t n : recipients) {
        auto ended = recording.expire(n, last ? *last : last_word(store, message, n));
        if (!ended) return ended.error();
    }
    auto due_now = recording.finish();
    leave_if_none_is_held(store, message);
    return due_now;
}

}  // namespace queue
