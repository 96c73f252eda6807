#include "queue/log.hpp"

#include "base/log.hpp"

namespace queue::log {
namespace {

using base::log::Line;

Line about(std::string_view event, QueueId id, const mail::Mailbox& recipient) {
    Line line(event);
    line.with("id", id.to_text()).with("to", recipient.text());
    return line;
}

std::int64_t seconds(std::chrono::milliseconds time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time).count();
}

}  // namespace

void migrating(std::string_view file, int from, int to, std::string_view copy) {
    Line("queue-migrating")
        .with("file", file)
        .with("from", from)
        .with("to", to)
        .with("copy", copy)
        .info();
}

void opened(std::string_view directory, std::int64_t released, std::size_t orphans) {
    Line("queue-opened")
        .with("directory", directory)
        .with("released", released)
        .with("orphans", orphans)
        .info();
}

void interrupted(std::size_t messages, std::int64_t recipients) {
    Line("interrupted").with("messages", messages).with("recipients", recipients).warning();
}

void suspected(QueueId id, int crashes) {
    Line("suspected").with("id", id.to_text()).with("crashes", crashes).error();
}

void orphans_left(std::size_t count, std::string_view why) {
    Line("orphans-left").with("files", count).with("why", why).warning();
}

void accepted(QueueId id, const Arrival& arrival) {
    Line line("accepted");
    line.with("id", id.to_text())
        .with("from", "<" + std::string(mail::to_text(arrival.envelope.from)) + ">")
        .with("recipients", arrival.envelope.recipients.size())
        .with("size", arrival.content.size())
        .with("client", arrival.origin.client);
    if (arrival.transfer) line.with("transfer", arrival.transfer->key.id);
    if (arrival.held) line.with("held", *arrival.held);
    line.info();
}

void delivered(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
               const Delivered& outcome, std::chrono::milliseconds age) {
    about("delivered", id, recipient)
        .with("lane", destination.to_text())
        .with("remote", outcome.remote)
        .with("reply", outcome.reply.to_text())
        .with("age-ms", age.count())
        .info();
}

void deferred(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
              const mail::Reply& reply, base::TimePoint next) {
    about("deferred", id, recipient)
        .with("lane", destination.to_text())
        .with("reply", reply.to_text())
        .with("next-try", base::to_datetime(next))
        .info();
}

void failed(QueueId id, const mail::Mailbox& recipient, const Destination& destination,
            const mail::Reply& reply) {
    about("failed", id, recipient)
        .with("lane", destination.to_text())
        .with("reply", reply.to_text())
        .warning();
}

void rerouted(QueueId id, const mail::Mailbox& recipient, const Destination& way,
              std::string_view why) {
    about("rerouted", id, recipient).with("lane", way.to_text()).with("why", why).info();
}

void complaints_on_sender(std::string_view sender, std::string_view domain, std::int64_t days,
                          std::chrono::milliseconds pause, QueueId id) {
    Line("complaints-on-sender")
        .with("id", id.to_text())
        .with("from", "<" + std::string(sender) + ">")
        .with("domain", domain)
        .with("days", days)
        .with("slowed-to-one-in-s", seconds(pause))
        .warning();
}

void reported(QueueId id, QueueId report, std::string_view to) {
    Line("reported")
        .with("id", id.to_text())
        .with("report", report.to_text())
        .with("to", to)
        .info();
}

void outcome_unwritten(QueueId id) {
    Line("outcome-unwritten").with("id", id.to_text()).error();
}

void content_unreadable(QueueId id, std::string_view why) {
    Line("content-unreadable").with("id", id.to_text()).with("why", why).error();
}

void put_aside(QueueId id, std::string_view why) {
    Line("put-aside").with("id", id.to_text()).with("why", why).error();
}

void quarantined(QueueId id, std::string_view why) {
    Line("quarantined").with("id", id.to_text()).with("why", why).error();
}

void peer_reported(QueueId id, std::string_view recipient, std::string_view action,
                   const mail::Reply& reply, std::string_view peer) {
    Line("peer-reported")
        .with("id", id.to_text())
        .with("to", recipient)
        .with("action", action)
        .with("reply", reply.to_text())
        .with("peer", peer)
        .info();
}

void delayed(QueueId id, std::size_t recipients, std::chrono::milliseconds age) {
    Line("delayed")
        .with("id", id.to_text())
        .with("recipients", recipients)
        .with("age-s", seconds(age))
        .warning();
}

void operated(QueueId id, std::string_view verb, std::size_t recipients) {
    Line("operator")
        .with("id", id.to_text())
        .with("verb", verb)
        .with("recipients", recipients)
        .info();
}

void discarded(QueueId id, std::string_view why) {
    Line("not-reported").with("id", id.to_text()).with("why", why).warning();
}

void destination_deferred(const Destination& destination, const mail::Reply& reply,
                          std::int64_t recipients, base::TimePoint next) {
    Line("destination-deferred")
        .with("lane", destination.to_text())
        .with("recipients", recipients)
        .with("reply", reply.to_text())
        .with("next-try", base::to_datetime(next))
        .info();
}

void destination_rerouted(const Destination& destination, const Destination& way,
                          std::string_view why, std::int64_t recipients) {
    Line("destination-rerouted")
        .with("lane", destination.to_text())
        .with("to", way.to_text())
        .with("recipients", recipients)
        .with("why", why)
        .info();
}

void database_damaged(std::string_view why) {
    Line("database-damaged")
        .with("why", why)
        .with("what-to-do",
              "look at the disk; the next start repairs the database, and so does "
              "`packetboat queue verify --repair`")
        .error();
}

void repaired(const RepairReport& report) {
    Line line("database-repaired");
    line.with("kept", report.kept.string())
        .with("damaged-pages", report.damaged_pages)
        .with("lost-messages", report.lost_messages)
        .with("lost-recipients", report.lost_recipients)
        .with("lost-verdicts", report.lost_verdicts)
        .with("quarantined", report.quarantined);
    line.warning();
    for (const std::string& each : report.lines)
        Line("repair").with("what", each).warning();
    if (report.more > 0)
        Line("repair").with("what", "and more").with("lines", report.more).warning();
}

void storage_failed(std::string_view what, std::string_view why) {
    Line("storage-failed").with("what", what).with("why", why).error();
}

void clock_doubted(const base::ClockTrust::State& state, const base::Clock& clock) {
    const auto until = state.until.value_or(clock.steady()) - clock.steady();
    Line("clock-doubted")
        .with("why", base::to_text(state.doubt))
        .with("by-s", seconds(state.by))
        .with("now", base::to_datetime(clock.now()))
        .with("believed-in-s", state.until ? std::to_string(seconds(until)) : "never")
        .warning();
}

void clock_believed() {
    Line("clock-believed").info();
}

void arrivals_corrected(std::size_t messages) {
    Line("arrivals-corrected").with("messages", messages).warning();
}

void own_promise_announced(std::string_view component, base::TimePoint until) {
    Line("own-promise-announced")
        .with("component", component)
        .with("until", base::to_datetime(until))
        .info();
}

void own_promise_withdrawn(std::string_view component, base::TimePoint until, std::size_t unread) {
    Line("own-promise-withdrawn")
        .with("component", component)
        .with("unread-by", unread)
        .with("until", base::to_datetime(until))
        .info();
}

void own_promise_ended(std::string_view component) {
    Line("own-promise-ended").with("component", component).info();
}

void oldest_is_old(std::chrono::milliseconds age, std::int64_t recipients) {
    Line("oldest-mail-is-old").with("age-s", seconds(age)).with("waiting", recipients).warning();
}

}  // namespace queue::log
