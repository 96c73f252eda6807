// The log events of the queue. One line each, with the queue id.
//
// Tested by tests/e2e/test_reports.py.
#pragma once

#include "base/clock.hpp"
#include "base/clock_trust.hpp"
#include "mail/status.hpp"
#include "queue/destination.hpp"
#include "queue/ports.hpp"
#include "queue/queue_id.hpp"
#include "queue/repair_report.hpp"

#include <string>
#include <string_view>

namespace queue::log {

/// The database is of an older version; `copy` is what it was.
void migrating(std::string_view file, int from, int to, std::string_view copy);
void opened(std::string_view directory, std::int64_t released, std::size_t orphans);
/// So much was being delivered when the last process ended without being stopped.
void interrupted(std::size_t messages, std::int64_t recipients);
/// The delivery of this one was under way in so many such ends in a row.
void suspected(QueueId id, int crashes);
/// Files that no row names, and that can't be removed; of one it is said why.
void orphans_left(std::size_t count, std::string_view why);
void accepted(QueueId id, const Arrival& arrival);
void delivered(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
               const Delivered& outcome, std::chrono::milliseconds age);
void deferred(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
              const mail::Reply& reply, base::TimePoint next);
void failed(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
            const mail::Reply& reply);
/// It goes `way` instead.
void rerouted(QueueId id, const mail::Mailbox& recipient, const Destination& way,
              std::string_view why);
/// A domain complains of mail of `sender`, for the first time on that day, the last of which is
/// `id`: its mail there is slowed to one recipient in `pause`, and somebody should look.
void complaints_on_sender(std::string_view sender, std::string_view domain, std::int64_t days,
                          std::chrono::milliseconds pause, QueueId id);
void reported(QueueId id, QueueId report, std::string_view to);
/// What became of it could not be written down; it is tried again.
void outcome_unwritten(QueueId id);
/// A range of it could not be read.
void content_unreadable(QueueId id, std::string_view why);
/// It could not be given out.
void put_aside(QueueId id, std::string_view why);
/// It is damaged, and held until somebody has looked.
void quarantined(QueueId id, std::string_view why);
/// A peer said what became of mail of ours.
void peer_reported(QueueId id, std::string_view recipient, std::string_view action,
                   const mail::Reply& reply, std::string_view peer);
void delayed(QueueId id, std::size_t recipients, std::chrono::milliseconds age);
/// An administrator has done this to so many of its recipients.
void operated(QueueId id, std::string_view verb, std::size_t recipients);
/// A failure of which nobody can be told: a report that can't be delivered itself.
void discarded(QueueId id, std::string_view why);
void destination_deferred(const Destination& destination, const mail::Reply& reply,
                          std::int64_t recipients, base::TimePoint next);
void destination_rerouted(const Destination& destination, const Destination& way,
                          std::string_view why, std::int64_t recipients);
/// What can be read goes on; the next start repairs the rest.
void database_damaged(std::string_view why);
/// One line, and one for each thing that the report names.
void repaired(const RepairReport& report);
void storage_failed(std::string_view what, std::string_view why);
/// What is ended by time waits, as the clock may be wrong ...
void clock_doubted(const base::ClockTrust::State& state, const base::Clock& clock);
/// ... and goes on.
void clock_believed();
/// So many messages had come while the clock was ahead.
void arrivals_corrected(std::size_t messages);
/// Our `component` promises, until then at least, that mail of some domains comes over XMPP only.
void own_promise_announced(std::string_view component, base::TimePoint until);
/// No more; so many peers have not read that yet. It holds for them until then at the latest.
void own_promise_withdrawn(std::string_view component, base::TimePoint until, std::size_t unread);
/// It holds for nobody.
void own_promise_ended(std::string_view component);
void oldest_is_old(std::chrono::milliseconds age, std::int64_t recipients);

}  // namespace queue::log
