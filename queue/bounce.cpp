#include "queue/bounce.hpp"

#include "base/limits.hpp"
#include "mail/header_scanner.hpp"
#include "queue/arrivals.hpp"
#include "queue/log.hpp"

namespace queue {
namespace {

base::Result<mail::Mailbox> postmaster_of(const Store& store, const mail::Domain& domain) {
    const bool literal = domain.is_address_literal() || !store.router().serves(domain);
    return mail::Mailbox::parse("postmaster@" +
                                (literal ? store.settings().hostname : domain.ascii()));
}

/// Who is told of `failed`, or nothing.
base::Result<std::optional<mail::Mailbox>> reader_of(
    const Store& store, const MessageRow& message,
    const std::vector<mail::ReportedRecipient>& failed) {
    const auto nobody = [&](const char* why) {
        log::discarded(message.id, why);
        return std::optional<mail::Mailbox>();
    };
    if (failed.empty()) return nobody("the sender wants no report");
    switch (message.origin.kind) {
        case Origin::Kind::internal:
            return nobody("it is a report itself");
        case Origin::Kind::xmpp: {
            // The peer has our 2xx, and its user trusts in it: our postmaster has to know.
            auto recipient = mail::Mailbox::parse(failed.front().address);
            if (!recipient) return recipient.error();
            auto postmaster = postmaster_of(store, recipient->domain());
            if (!postmaster) return postmaster.error();
            return std::optional(std::move(*postmaster));
        }
        case Origin::Kind::smtp:
            break;
    }
    if (!message.envelope.from) return nobody("the sender is <>");
    return message.envelope.from;
}

/// What the sender wants to hear of (RFC 3461 section 4.1); a postmaster hears of everything.
std::vector<mail::ReportedRecipient> reported(const MessageRow& message,
                                              const std::vector<FailedRecipient>& failed) {
    std::vector<mail::ReportedRecipient> wanted;
    for (const FailedRecipient& each : failed) {
        if (message.origin.kind != Origin::Kind::smtp || each.notify.wants_failure())
            wanted.push_back(each.reported);
    }
    return wanted;
}

std::string report_text(Store& store, const MessageRow& message, const mail::Mailbox& reader,
                        const std::vector<mail::ReportedRecipient>& failed,
                        const mail::Content& original) {
    const std::string& host = store.settings().hostname;
    mail::ReportInput input;
    input.reporting_mta = host;
    input.message_id = "<" + store.next_transfer_id() + "@" + host + ">";
    input.report_from = "Mail Delivery System <MAILER-DAEMON@" + host + ">";
    input.to = reader.text();
    input.envid = message.envelope.envid;
    input.arrived_at = message.received_at;
    input.now = store.now();
    input.queue_id = message.id.to_text();
    input.recipients = failed;
    input.original = original.bytes();
    // RFC 3461 section 6.2 lets a reporter return the header only; large mails are not sent back
    // whole.
    input.ret =
        original.size() <= base::limits::kInlineContent ? message.envelope.ret : mail::Ret::headers;
    input.smtputf8 = message.envelope.smtputf8;
    return mail::build_report(input);
}

}  // namespace

base::Result<std::optional<Destination>> add_bounce(Store& store, const MessageRow& message,
                                                    const std::vector<FailedRecipient>& all) {
    const std::vector<mail::ReportedRecipient> failed = reported(message, all);
    const auto reader = reader_of(store, message, failed);
    if (!reader) return reader.error();
    if (!*reader) return std::optional<Destination>();
    const mail::Mailbox& to = **reader;

    // Without the content the report still goes out, only without the header that it returns.
    const auto original = read_content(store, message.id, message.size);
    Arrival report;
    report.content = mail::Content(
        report_text(store, message, to, failed, original ? *original : mail::Content()));
    report.envelope.recipients.push_back({0, to, {.never = true}, ""});
    report.envelope.body = mail::Body::eight_bit_mime;
    report.envelope.smtputf8 = message.envelope.smtputf8;
    // A sender that is not ours came by our own MTA, which has to decide what it does about it.
    const Lane lane = store.router().serves(to.domain()) ? Lane::local : Lane::relay;
    const Destination destination{lane, "", ""};
    report.destinations.push_back(destination);
    report.origin = {Origin::Kind::internal, "report on " + message.id.to_text(), "", std::nullopt,
                     ""};

    const auto id = insert_message(store, report);
    if (!id) return id.error();
    add_event(store, message.id, std::nullopt, "reported", id->to_text() + " to " + to.text());
    store.after_commit(
        [from = message.id, report_id = *id, to] { log::reported(from, report_id, to.text()); });
    return std::optional(destination);
}

}  // namespace queue
