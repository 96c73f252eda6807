#include "mail/report.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/dsn_parameters.hpp"
#include "mail/header_scanner.hpp"
#include "mail/report_parts.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace mail {
namespace {

/// `rfc822; bob@b.test` (RFC 3464 2.3.2), or of the type of RFC 6533 3.
std::string typed_address(std::string_view address, bool smtputf8) {
    const std::string shown = report_line(address);
    if (base::is_ascii(address)) return "rfc822; " + shown;
    // Where it can't be shown as it is, it is spelled out.
    const bool as_it_is = smtputf8 && shown == address;
    return "utf-8; " + (as_it_is ? shown : report_line(utf8_address_as_xtext(address)));
}

/// RFC 3464 2.3.1: ORCPT as the sender gave it; anything else than `type;address` is no value of
/// the field.
std::string original_recipient(std::string_view orcpt, bool smtputf8) {
    const std::string shown = report_line(orcpt);
    if (shown.find(';') == std::string::npos) return {};
    const bool as_it_is = shown == orcpt && (smtputf8 || base::is_ascii(shown));
    const std::string in_ascii = as_it_is ? std::string() : write_orcpt(orcpt);
    return in_ascii.empty() ? (smtputf8 ? shown : ascii_line(orcpt)) : in_ascii;
}

std::string_view subject(const ReportInput& input) {
    const Action first = input.recipients.front().action;
    const bool same =
        std::ranges::all_of(input.recipients, [&](const auto& r) { return r.action == first; });
    if (!same) return "What became of your message";
    switch (first) {
        case Action::failed:
            return "Your message could not be delivered";
        case Action::delayed:
            return "Your message is delayed";
        case Action::delivered:
            return "Your message was delivered";
        case Action::relayed:
            return "Your message was relayed";
        case Action::expanded:
            return "Your message was delivered to a list";
    }
    return "What became of your message";
}

std::string_view what_happened(Action action) {
    switch (action) {
        case Action::failed:
            return "could not be delivered.";
        case Action::delayed:
            return "has not been delivered yet. It will be tried again; you need not do anything.";
        case Action::delivered:
            return "was delivered.";
        case Action::relayed:
            return "was passed on to a mail system that may not report what becomes of it.";
        case Action::expanded:
            return "was delivered to a list, and passed on to its members.";
    }
    return "is in an unknown state.";
}

/// What a person needs to know, in plain language.
std::string words_for_people(const ReportInput& input) {
    std::string out = "This is the mail system of " + report_line(input.reporting_mta) + ".\r\n";
    if (!input.note.empty()) out += "\r\n" + wrapped_text(report_line(input.note), "");
    for (const auto& recipient : input.recipients) {
        out += "\r\n";
        out += wrapped_text(
            fmt::format("{} message to <{}> {}", input.note.empty() ? "Your" : "The",
                        report_line(recipient.address), what_happened(recipient.action)),
            "");
        if (recipient.retry_until)
            out += wrapped_text("If it cannot be delivered by " +
                                    base::to_rfc5322_date(*recipient.retry_until) +
                                    ", you will be told.",
                                "");
        const std::string reply = report_line(recipient.reply.to_text());
        if (recipient.remote_mta.empty()) {
            out += "The reason:\r\n";
        } else {
            out += wrapped_text(
                fmt::format("The mail system of {} said:", report_line(recipient.remote_mta)), "");
        }
        out += "\r\n" + wrapped_text(reply, "    ");
    }
    return out;
}

/// message/delivery-status (RFC 3464 2.1), or that of RFC 6533 4.1. First what is of the message
/// (RFC 3464 2.2): Original-Envelope-Id (RFC 3464 2.2.1), Reporting-MTA (RFC 3464 2.2.2),
/// Arrival-Date (RFC 3464 2.2.5). Then a group for each recipient (RFC 3464 2.3): Action
/// (RFC 3464 2.3.3), Status (RFC 3464 2.3.4), Remote-MTA (RFC 3464 2.3.5), Diagnostic-Code,
/// Last-Attempt-Date (RFC 3464 2.3.7), Will-Retry-Until (RFC 3464 2.3.9). What has to be there is
/// said by RFC 3461 6.2.
std::string delivery_status(const ReportInput& input) {
    const auto fit = [&](std::string_view text) {
        return input.smtputf8 ? report_line(text) : ascii_line(text);
    };
    std::string out;
    add_field(out, "Original-Envelope-Id", fit(input.envid));
    add_field(out, "Reporting-MTA", dns_name(input.reporting_mta));
    add_field(out, "X-Packetboat-Queue-ID", fit(input.queue_id));
    add_field(out, "Arrival-Date", base::to_rfc5322_date(input.arrived_at));
    for (const auto& recipient : input.recipients) {
        out += "\r\n";
        add_field(out, "Original-Recipient", original_recipient(recipient.orcpt, input.smtputf8));
        const auto& last =
            recipient.final_address.empty() ? recipient.address : recipient.final_address;
        add_field(out, "Final-Recipient", typed_address(last, input.smtputf8));
        add_field(out, "Action", to_text(recipient.action));
        add_field(out, "Status", recipient.reply.status.to_text());
        // RFC 3464 2.3.6: `smtp` is for what a remote server said; our own words are
        // another type.
        if (!recipient.remote_mta.empty())
            add_field(out, "Remote-MTA", dns_name(recipient.remote_mta));
        const std::string_view type = recipient.remote_mta.empty() ? "x-packetboat; " : "smtp; ";
        add_field(out, "Diagnostic-Code", std::string(type) + fit(recipient.reply.to_text()));
        if (recipient.last_attempt)
            add_field(out, "Last-Attempt-Date", base::to_rfc5322_date(*recipient.last_attempt));
        if (recipient.retry_until)
            add_field(out, "Will-Retry-Until", base::to_rfc5322_date(*recipient.retry_until));
    }
    return out;
}

/// RFC 6522 3 and RFC 6522 4; internationalised, RFC 6533 4.2 and RFC 6533 4.3.
std::string_view original_type(bool full, bool smtputf8) {
    if (smtputf8) return full ? "message/global" : "message/global-headers";
    return full ? "message/rfc822" : "text/rfc822-headers";
}

/// The Message-ID of the original, if it can be named in a field of ours (RFC 3834 3.1.6).
std::string original_id(const ReportInput& input, const std::string& id) {
    const bool usable =
        id.starts_with('<') && id.ends_with('>') && id.find(' ') == std::string::npos;
    return usable && (input.smtputf8 || base::is_ascii(id)) ? id : std::string();
}

}  // namespace

std::string_view to_text(Action action) {
    switch (action) {
        case Action::failed:
            return "failed";
        case Action::delayed:
            return "delayed";
        case Action::delivered:
            return "delivered";
        case Action::relayed:
            return "relayed";
        case Action::expanded:
            return "expanded";
    }
    return "failed";
}

std::string build_report(const ReportInput& input) {
    const HeaderSummary header = summarize_header(input.original);
    // No part of a report may have a NUL (RFC 2045 2.8).
    const std::size_t nul = input.original.find('\0');
    const bool full = input.ret == Ret::full && nul == input.original.npos &&
                      std::ranges::any_of(input.recipients, [](const ReportedRecipient& r) {
                          return r.action == Action::failed;
                      });
    const std::string people = words_for_people(input);
    const std::string status = delivery_status(input);
    const std::string_view original =
        full ? input.original : lines_before(input.original.substr(0, header.returned), nul);
    const std::string boundary =
        report_boundary(input.message_id + " " + input.queue_id, {people, status, original});
    const bool ascii = base::is_ascii(people) && base::is_ascii(status) && base::is_ascii(original);
    const std::string id = original_id(input, header.message_id);
    const std::string_view global = input.smtputf8 ? "global-" : "";

    std::string out;
    out.reserve(original.size() + people.size() + status.size() + 2000);
    add_field(out, "From", report_line(input.report_from));
    add_field(out, "To", "<" + report_line(input.to) + ">");
    add_field(out, "Subject", subject(input));
    add_field(out, "Date", base::to_rfc5322_date(input.now));
    add_field(out, "Message-ID", report_line(input.message_id));
    add_field(out, "In-Reply-To", id);
    add_field(out, "References", id);
    add_field(out, "Auto-Submitted", "auto-replied");  // RFC 3834 3.1.7
    add_field(out, "MIME-Version", "1.0");
    add_field(out, "Content-Type",
              // RFC 6522 3.
              fmt::format("multipart/report; report-type={}delivery-status;\r\n\tboundary=\"{}\"",
                          global, boundary));
    if (!ascii) add_field(out, "Content-Transfer-Encoding", "8bit");
    out += "\r\n";
    add_report_part(
        out, boundary,
        base::is_ascii(people) ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8",
        people);
    add_report_part(out, boundary, fmt::format("message/{}delivery-status", global), status);
    add_report_part(out, boundary, original_type(full, input.smtputf8), original);
    return out.append("--").append(boundary).append("--\r\n");
}

}  // namespace mail
