#include "mail/feedback_report.hpp"

#include "base/text.hpp"
#include "mail/header_scanner.hpp"
#include "mail/report_parts.hpp"

#include <fmt/format.h>

namespace mail {
namespace {

std::string words_on_complaint(const FeedbackInput& input) {
    const std::string what =
        input.incidents == 1 ? "a mail" : fmt::format("{} mails", input.incidents);
    std::string out =
        "This is the mail system of " + report_line(input.reporting_mta) + ".\r\n\r\n";
    out += wrapped_text(fmt::format("People at {} say that {} of <{}> {} spam. The header of the "
                                    "last one is below, as far as it is still known.",
                                    report_line(input.domain), what, report_line(input.sender),
                                    input.incidents == 1 ? "is" : "are"),
                        "");
    out += "\r\n" + wrapped_text(report_line(input.consequence), "");
    return out;
}

/// message/feedback-report (RFC 5965 3): what has to be there is said by RFC 5965 3.1, the others
/// by RFC 5965 3.2.
std::string feedback(const FeedbackInput& input) {
    std::string out;
    add_field(out, "Feedback-Type", "abuse");
    add_field(out, "User-Agent", "Packetboat");
    add_field(out, "Version", "1");
    add_field(out, "Original-Mail-From", "<" + ascii_line(input.sender) + ">");
    add_field(out, "Arrival-Date", base::to_rfc5322_date(input.arrived_at));
    add_field(out, "Reporting-MTA", dns_name(input.domain));
    add_field(out, "Incidents", std::to_string(input.incidents));
    return out;
}

}  // namespace

std::string build_feedback_report(const FeedbackInput& input) {
    const std::string people = words_on_complaint(input);
    const std::string status = feedback(input);
    std::string_view original = lines_before(header_of(input.original), input.original.find('\0'));
    // The part has to be there (RFC 5965 2).
    const std::string sender_only = "From: <" + report_line(input.sender) + ">\r\n";
    if (original.empty()) original = sender_only;
    const std::string boundary = report_boundary(input.message_id, {people, status, original});
    const bool ascii = base::is_ascii(people) && base::is_ascii(original);
    std::string out;
    out.reserve(people.size() + status.size() + original.size() + 2000);
    add_field(out, "From", "Complaints <MAILER-DAEMON@" + report_line(input.reporting_mta) + ">");
    add_field(out, "To", "<" + report_line(input.to) + ">");
    add_field(out, "Subject",
              ascii_line("Complaints of " + input.domain + " about " + input.sender));
    add_field(out, "Date", base::to_rfc5322_date(input.now));
    add_field(out, "Message-ID", report_line(input.message_id));
    add_field(out, "Auto-Submitted", "auto-generated");
    add_field(out, "MIME-Version", "1.0");
    add_field(out, "Content-Type",
              fmt::format("multipart/report; report-type=feedback-report;\r\n\tboundary=\"{}\"",
                          boundary));
    if (!ascii) add_field(out, "Content-Transfer-Encoding", "8bit");
    out += "\r\n";
    add_report_part(
        out, boundary,
        base::is_ascii(people) ? "text/plain; charset=us-ascii" : "text/plain; charset=utf-8",
        people);
    add_report_part(out, boundary, "message/feedback-report", status);
    add_report_part(out, boundary, "text/rfc822-headers", original);
    return out.append("--").append(boundary).append("--\r\n");
}

}  // namespace mail
