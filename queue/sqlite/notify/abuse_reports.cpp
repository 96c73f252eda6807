#include "queue/sqlite/notify/abuse_reports.hpp"

#include "mail/feedback_report.hpp"
#include "queue/sqlite/notify/taken_complaints.hpp"
#include "queue/sqlite/store/new_message.hpp"
#include "queue/sqlite/store/rows.hpp"

#include <fmt/format.h>

namespace queue {
namespace {

constexpr std::size_t kReports = 20;  // of one step

struct Unreported {
    std::string sender;
    std::string domain;
    std::string path;
    QueueId message;
};

std::vector<Unreported> read_unreported(Store& store, base::TimePoint until) {
    std::vector<Unreported> found;
    Query find = store.database().query(
        "SELECT sender, domain, path, message FROM sender_complaint"
        " WHERE reported = 0 AND first_at <= ?1 ORDER BY first_at LIMIT ?2"_sql);
    find.bind(to_millis(until), static_cast<std::int64_t>(kReports));
    while (find.step())
        found.push_back({find.text(0), find.text(1), find.text(2), QueueId{find.integer(3)}});
    return found;
}

/// All that no report has told yet, of earlier days, too. From now on one has.
std::int64_t take_incidents(Store& store, const Unreported& each) {
    std::int64_t incidents = 0;
    {
        Query sum = store.database().query(
            "SELECT MAX(complaints - reported, 0) FROM sender_complaint"
            " WHERE sender = ?1 AND domain = ?2"_sql);
        sum.bind(each.sender, each.domain);
        while (sum.step())
            incidents += sum.integer(0);
    }
    Query mark = store.database().query(
        "UPDATE sender_complaint SET reported = MAX(reported, complaints)"
        " WHERE sender = ?1 AND domain = ?2"_sql);
    mark.bind(each.sender, each.domain).run();
    return incidents;
}

/// As far as it is still here.
std::string kept_header(Store& store, QueueId message) {
    Query find = store.database().query("SELECT bytes FROM header WHERE message = ?1"_sql);
    return find.bind(message.value).step() ? find.text(0) : std::string();
}

base::Result<mail::Mailbox> abuse_address(const ReportComplaints& op, const Unreported& each) {
    if (op.to) return *op.to;
    const auto sender = mail::Mailbox::parse_loosely(each.path);
    if (!sender) return sender.error();
    return mail::Mailbox::parse("abuse@" + sender->domain().ascii());
}

std::string consequence_for(const Unreported& each, std::int64_t days) {
    if (days == 0)
        return fmt::format("That was a while ago: mail of this sender to {} is not slowed.",
                           each.domain);
    const auto pause =
        std::chrono::duration_cast<std::chrono::minutes>(pause_after_complaints(days));
    return fmt::format(
        "Mail of this sender to {} is slowed for now, to one recipient in {} minutes. Nothing else "
        "happens by itself: look whether somebody else uses the account.",
        each.domain, pause.count());
}

/// Where it goes.
base::Result<Destination> insert_abuse_report(Store& store, const mail::Mailbox& to,
                                              const Unreported& each, std::int64_t incidents) {
    const std::string& host = store.settings().hostname;
    mail::FeedbackInput input;
    input.reporting_mta = host;
    input.message_id = "<" + store.next_transfer_id() + "@" + host + ">";
    input.to = to.text();
    input.sender = each.path;
    input.domain = each.domain;
    input.incidents = incidents;
    // What is left of the history says when it came.
    const auto row = read_message(store, each.message);
    input.arrived_at = row ? row->received_at : store.now();
    input.now = store.now();
    input.consequence =
        consequence_for(each, complaints_against(store, each.sender, each.domain).days);
    const std::string original = kept_header(store, each.message);
    input.original = original;
    Arrival report;
    report.content = mail::Content(mail::build_feedback_report(input));
    report.envelope.recipients.push_back({0, to, {.never = true}, ""});
    report.envelope.body = mail::Body::eight_bit_mime;
    report.envelope.smtputf8 = to.needs_smtputf8();
    report.origin = {Origin::Kind::internal, "complaints", "", std::nullopt, ""};
    const Router& router = store.router();
    const Destination where =
        router.serves(to.domain()) ? router.local(to.domain()) : Destination{Lane::relay, "", ""};
    report.destinations.push_back(where);
    const auto id = insert_message(store, report);
    if (!id) return id.error();
    return where;
}

}  // namespace

base::Result<AbuseReports> report_complaints(Store& store, const ReportComplaints& op) {
    AbuseReports done;
    const auto found = read_unreported(store, op.until);
    for (const Unreported& each : found) {
        // Without an address the row is damaged: it must not keep the others from being reported.
        const std::int64_t incidents = take_incidents(store, each);
        const auto to = abuse_address(op, each);
        // Another day of the same may have been told just before.
        if (!to || incidents == 0) continue;
        const auto where = insert_abuse_report(store, *to, each, incidents);
        if (!where) return where.error();
        add_all(done.due_now, {*where});
    }
    done.more = found.size() >= kReports;
    return done;
}

}  // namespace queue
