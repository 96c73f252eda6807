#include "queue/sqlite/notify/reports.hpp"

#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "queue/complaint.hpp"
#include "queue/log.hpp"
#include "queue/sqlite/store/new_message.hpp"

namespace queue {
namespace {

using mail::Action;
using Where = base::Result<std::optional<Destination>>;

/// RFC 3461 5.2.6, RFC 3461 5.2.5, RFC 3461 5.2.3.
bool is_wanted(const Notification& notification) {
    const mail::Notify& notify = notification.notify;
    switch (notification.reported.action) {
        case Action::failed:
            return notify.wants_failure();
        case Action::delayed:
            return notify.delay || !notify.is_set();
        case Action::delivered:
        case Action::relayed:
        case Action::expanded:
            return notify.success;
    }
    return true;
}

/// What there still is of the message: all of it, or its header, or nothing.
struct Original {
    mail::Content content;
    mail::Ret most = mail::Ret::headers;  ///< that can be returned
};

Original original_of(Store& store, const MessageRow& message) {
    // RFC 3461 6.2 lets a reporter return the header only; large mails are not sent back
    // whole.
    const bool whole = message.size <= base::limits::kInlineContent;
    if (auto content = read_beginning(store, message.id, message.size,
                                      whole ? message.size : message.header_size))
        return {*content, whole ? mail::Ret::full : mail::Ret::headers};
    // Without it the report still goes out, only without what it returns.
    Query find = store.database().query("SELECT bytes FROM header WHERE message = ?1"_sql);
    if (!find.bind(message.id.value).step()) return {};
    return {mail::Content(find.text(0)), mail::Ret::headers};
}

mail::ReportInput input_of(Store& store, const MessageRow& message) {
    const std::string& host = store.settings().hostname;
    mail::ReportInput input;
    input.reporting_mta = host;
    input.message_id = "<" + store.next_transfer_id() + "@" + host + ">";
    input.report_from = "Mail Delivery System <MAILER-DAEMON@" + host + ">";
    input.envid = message.envelope.envid;
    input.arrived_at = message.received_at;
    input.now = store.now();
    input.queue_id = message.id.to_text();
    input.smtputf8 = message.envelope.smtputf8;
    return input;
}

/// Stores a report of ours, whatever it is, and writes it into the history of its message.
Where insert(Store& store, const MessageRow& message, Arrival report, const Destination& where) {
    report.destinations.push_back(where);
    report.origin = {Origin::Kind::internal, "report on " + message.id.to_text(), "", std::nullopt,
                     ""};
    const std::string to = report.envelope.recipients.front().address.text();
    const auto id = insert_message(store, report);
    if (!id) return id.error();
    add_event(store, message.id, std::nullopt, "reported",
              id->to_text() + " to " + to +
                  (where.lane == Lane::report ? " by " + where.to_text() : std::string()));
    store.after_commit(
        [from = message.id, report_id = *id, to] { log::reported(from, report_id, to); });
    return std::optional(where);
}

/// A message (RFC 3464) to somebody of ours, from the null sender and with NOTIFY=NEVER
/// (RFC 3461 6.1).
Where insert_mail(Store& store, const MessageRow& message, mail::ReportInput input,
                  const mail::Mailbox& to) {
    const Original original = original_of(store, message);
    input.to = to.text();
    input.original = original.content.bytes();
    input.ret = original.most == mail::Ret::full ? message.envelope.ret : mail::Ret::headers;
    Arrival report;
    report.content = mail::Content(mail::build_report(input));
    report.envelope.recipients.push_back({0, to, {.never = true}, ""});
    report.envelope.body = mail::Body::eight_bit_mime;
    report.envelope.smtputf8 = input.smtputf8;
    // A sender that is not ours came by our own MTA, which has to decide what it does about it.
    const Router& router = store.router();
    const Destination relay{Lane::relay, "", ""};
    return insert(store, message, std::move(report),
                  router.serves(to.domain()) ? router.local(to.domain()) : relay);
}

base::Result<mail::Mailbox> postmaster(const Store& store) {
    const auto domain = store.router().main_domain();
    return mail::Mailbox::parse("postmaster@" +
                                (domain ? domain->ascii() : store.settings().hostname));
}

Where insert_for_postmaster(Store& store, const MessageRow& message, mail::ReportInput input) {
    const auto to = postmaster(store);
    if (!to) return to.error();
    return insert_mail(store, message, std::move(input), *to);
}

/// `what` is it, and a sentence of it begins with that.
Where insert_quarantine_report(Store& store, const MessageRow& message,
                               const std::vector<std::string>& addresses, const mail::Reply& why,
                               const std::string& what) {
    mail::ReportInput input = input_of(store, message);
    input.note = what + ": see `packetboat queue show " + message.id.to_text() + "`. Its sender <" +
                 std::string(to_text(message.envelope.from)) +
                 "> has not been told yet, and will be when its time is up.";
    for (const std::string& address : addresses) {
        mail::ReportedRecipient reported;
        reported.address = address;
        reported.action = Action::delayed;
        reported.reply = why;
        reported.retry_until = message.expires_at;
        input.recipients.push_back(std::move(reported));
    }
    return insert_for_postmaster(store, message, std::move(input));
}

/// To the component that the message came from, which tells its own user.
Where insert_for_peer(Store& store, const MessageRow& message,
                      const std::vector<Notification>& notifications) {
    PeerReport report{*message.origin.transfer, 0, {}};
    {
        Query number = store.database().query(
            "UPDATE message SET reports = reports + ?2 WHERE id = ?1 RETURNING reports - ?2 + 1"_sql);
        // One for each line: where one stanza is not enough, each part has a number of its own.
        number.bind(message.id.value, static_cast<std::int64_t>(notifications.size())).step();
        report.seq = static_cast<std::uint32_t>(number.integer(0));
    }
    for (const Notification& each : notifications) {
        const auto& reported = each.reported;
        report.recipients.push_back(
            {each.n, reported.action, reported.reply,
             std::chrono::floor<std::chrono::seconds>(reported.last_attempt.value_or(store.now())),
             reported.remote_mta.empty() ? store.settings().hostname : reported.remote_mta, ""});
    }
    Arrival arrival;
    arrival.content = mail::Content(encode(report));
    arrival.envelope.recipients.push_back({0, *message.envelope.from, {.never = true}, ""});
    arrival.envelope.smtputf8 = message.envelope.from->needs_smtputf8();
    arrival.expires_at = message.expires_at + base::limits::kReportGrace;
    return insert(store, message, std::move(arrival),
                  {Lane::report, message.origin.component, message.origin.client});
}

}  // namespace

Where add_report(Store& store, const MessageRow& message,
                 const std::vector<Notification>& notifications) {
    std::vector<Notification> wanted;
    bool any_failed = false;
    for (const Notification& each : notifications) {
        any_failed = any_failed || each.reported.action == Action::failed;
        if (is_wanted(each)) wanted.push_back(each);
    }
    const auto nobody = [&](const char* why) {
        if (any_failed) log::discarded(message.id, why);
        return std::optional<Destination>();
    };
    if (wanted.empty()) return nobody("the sender wants no report");
    // RFC 3461 5.2, RFC 5321 6.1, RFC 5321 3.6.3: no report on a report.
    if (!message.envelope.from) return nobody("the sender is <>");
    if (message.origin.kind == Origin::Kind::xmpp) return insert_for_peer(store, message, wanted);
    mail::ReportInput input = input_of(store, message);
    for (Notification& each : wanted)
        input.recipients.push_back(std::move(each.reported));
    return insert_mail(store, message, std::move(input), *message.envelope.from);
}

Where add_undelivered_report(Store& store, const MessageRow& message, const Notification& failure) {
    const auto content = read_beginning(store, message.id, message.size, message.size);
    // A peer that wants to hear of no complaint is told none.
    if (content && is_complaints(content->bytes())) return std::optional<Destination>();
    const auto report =
        content ? decode_peer_report(content->bytes()) : base::Result<PeerReport>(content.error());
    if (!report) return report.error();
    MessageRow about = message;
    {
        // The mail that it is about, as long as its history lasts.
        Query find = store.database().query(
            "SELECT id FROM message WHERE origin_transfer = ?1 AND origin_domain = ?2"
            " AND origin_transfer <> ''"_sql);
        if (find.bind(report->key.id, report->key.domain.ascii()).step()) {
            if (auto row = read_message(store, QueueId{find.integer(0)})) about = std::move(*row);
        }
    }
    mail::ReportInput input = input_of(store, about);
    input.note = "A message that was taken from " + report->key.domain.ascii() +
                 " met with what stands below, and its sender could not be told: " +
                 failure.reported.reply.to_text();
    for (const PeerReport::Line& line : report->recipients) {
        Query find = store.database().query(
            "SELECT address, orcpt FROM recipient WHERE message = ?1 AND n = ?2"_sql);
        const bool known = find.bind(about.id.value, static_cast<std::int64_t>(line.n)).step();
        mail::ReportedRecipient reported;
        reported.address = known ? find.text(0) : "recipient " + std::to_string(line.n);
        reported.orcpt = known ? find.text(1) : "";
        reported.action = line.action;
        reported.reply = line.reply;
        reported.remote_mta = line.mta;
        reported.last_attempt = line.at;
        input.recipients.push_back(std::move(reported));
    }
    return insert_for_postmaster(store, about, std::move(input));
}

Where add_held_report(Store& store, const MessageRow& message,
                      const std::vector<std::string>& addresses, const Held& held) {
    if (held.remote.empty()) return add_damage_report(store, message, addresses, held.reply.text);
    return insert_quarantine_report(
        store, message, addresses, held.reply,
        "A message in the queue can't go on and is in quarantine, as "
        "its next hop may have it already, or another one under its id");
}

Where add_damage_report(Store& store, const MessageRow& message,
                        const std::vector<std::string>& addresses, const std::string& why) {
    return insert_quarantine_report(store, message, addresses, {451, {4, 3, 0}, why},
                                    "A message in the queue can't be delivered as it is, and is in "
                                    "quarantine");
}

}  // namespace queue
