// Report: what Alice reads, and what her program reads, byte for byte.
#include "mail/report.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/content.hpp"
#include "mail/header_scanner.hpp"

#include <catch2/catch.hpp>

using mail::Action;
using mail::build_report;
using mail::ReportInput;
using mail::Ret;

namespace {

constexpr std::string_view kOriginal =
    "From: Alice <alice@a.test>\r\nTo: Bob <bob@b.test>\r\nMessage-ID: <m1@a.test>\r\nSubject: "
    "Hi\r\n\r\nHello, Bob.\r\n";

ReportInput failure() {
    ReportInput input;
    input.reporting_mta = "mx.a.test";
    input.message_id = "<r1@mx.a.test>";
    input.report_from = "Mail Delivery System <MAILER-DAEMON@mx.a.test>";
    input.to = "alice@a.test";
    input.envid = "QQ 1";
    input.arrived_at = base::TimePoint(std::chrono::seconds(1796083200));
    input.now = base::TimePoint(std::chrono::seconds(1796083205));
    input.queue_id = "4XbQ";
    input.recipients.push_back({.address = "bob@b.test",
                                .orcpt = "rfc822;Bob@b.test",
                                .action = Action::failed,
                                .reply = {550, {5, 1, 1}, "No such user here"},
                                .remote_mta = "mail.b.test"});
    input.original = kOriginal;
    return input;
}

bool has(std::string_view text, std::string_view piece) {
    return text.find(piece) != std::string_view::npos;
}

/// The parts between the boundaries, each with its own header; checks the frame around them.
std::vector<std::string> parts(const std::string& report) {
    const std::string lead = "boundary=\"";
    const std::size_t at = report.find(lead) + lead.size();
    const std::string boundary = report.substr(at, report.find('"', at) - at);
    const std::string delimiter = "\r\n--" + boundary + "\r\n";
    REQUIRE(report.ends_with("\r\n--" + boundary + "--\r\n"));
    const std::string body =
        report.substr(0, report.size() - boundary.size() - 8);  // CRLF, two dashes twice, CRLF
    std::vector<std::string> found;
    std::size_t start = body.find(delimiter);
    REQUIRE(start != std::string::npos);
    while (start != std::string::npos) {
        start += delimiter.size();
        const std::size_t end = body.find(delimiter, start);
        found.push_back(body.substr(start, end == std::string::npos ? end : end - start));
        start = end;
    }
    return found;
}

void check_lines_of(const std::string& report) {
    CHECK(mail::check_lines(report).has_value());
    for (const auto line : base::split(report, "\r\n"))
        CHECK(line.size() <= 998);
}

}  // namespace

// RFC 2045 2.8.
TEST_CASE("what is returned of a message with a NUL has none") {
    using namespace std::string_literals;
    ReportInput input = failure();
    input.ret = Ret::full;
    const auto returned = [&](const std::string& original) {
        input.original = original;
        const std::string report = build_report(input);
        CHECK(report.find('\0') == std::string::npos);
        return parts(report).at(2);
    };
    const std::string headers = "Content-Type: text/rfc822-headers\r\n\r\n";
    CHECK(returned("Subject: x\r\n\r\na\0b\r\n"s) == headers + "Subject: x\r\n");
    CHECK(returned("Subject: x\r\nX: \0\r\nY: z\r\n\r\n"s) == headers + "Subject: x\r\n");
    CHECK(returned("X: \0\r\n\r\n"s) == headers);
    CHECK(has(returned("Subject: x\r\n\r\nhi\r\n"), "message/rfc822"));
}

TEST_CASE("addresses that keep no grammar stand in one line each, in printable characters") {
    ReportInput input = failure();
    input.to = "\"a\x1B\r\nBcc: x\"@a.test";
    input.recipients.front().address = std::string(1900, 'b') + "@b_.test";
    input.recipients.front().orcpt = "";
    const std::string report = build_report(input);
    CHECK(has(report, "\r\nTo: <\"a???Bcc: x\"@a.test>\r\n"));
    for (const auto line : base::split(report, "\r\n"))
        CHECK(line.size() < 998);
}

// RFC 3464 2.1, RFC 3464 2.2, RFC 3464 2.2.1, RFC 3464 2.2.2, RFC 3464 2.2.5, RFC 3464 2.3,
// RFC 3464 2.3.1, RFC 3464 2.3.2, RFC 3464 2.3.3, RFC 3464 2.3.4, RFC 3464 2.3.5, RFC 3464 2.3.6,
// RFC 3464 2.3.7, RFC 3461 6.2, RFC 6522 3, RFC 6522 4, RFC 3834 3.1.6, RFC 3834 3.1.7.
TEST_CASE("a failure is reported in plain words, then in fields, then the header comes back") {
    CHECK(build_report(failure()) ==
          "From: Mail Delivery System <MAILER-DAEMON@mx.a.test>\r\n"
          "To: <alice@a.test>\r\n"
          "Subject: Your message could not be delivered\r\n"
          "Date: Tue, 01 Dec 2026 00:00:05 +0000\r\n"
          "Message-ID: <r1@mx.a.test>\r\n"
          "In-Reply-To: <m1@a.test>\r\n"
          "References: <m1@a.test>\r\n"
          "Auto-Submitted: auto-replied\r\n"
          "MIME-Version: 1.0\r\n"
          "Content-Type: multipart/report; report-type=delivery-status;\r\n"
          "\tboundary=\"=_report_20c365daba05b15dcdbf654e\"\r\n"
          "\r\n"
          "--=_report_20c365daba05b15dcdbf654e\r\n"
          "Content-Type: text/plain; charset=us-ascii\r\n"
          "\r\n"
          "This is the mail system of mx.a.test.\r\n"
          "\r\n"
          "Your message to <bob@b.test> could not be delivered.\r\n"
          "The mail system of mail.b.test said:\r\n"
          "\r\n"
          "    550 5.1.1 No such user here\r\n"
          "\r\n"
          "--=_report_20c365daba05b15dcdbf654e\r\n"
          "Content-Type: message/delivery-status\r\n"
          "\r\n"
          "Original-Envelope-Id: QQ 1\r\n"
          "Reporting-MTA: dns; mx.a.test\r\n"
          "X-Packetboat-Queue-ID: 4XbQ\r\n"
          "Arrival-Date: Tue, 01 Dec 2026 00:00:00 +0000\r\n"
          "\r\n"
          "Original-Recipient: rfc822;Bob@b.test\r\n"
          "Final-Recipient: rfc822; bob@b.test\r\n"
          "Action: failed\r\n"
          "Status: 5.1.1\r\n"
          "Remote-MTA: dns; mail.b.test\r\n"
          "Diagnostic-Code: smtp; 550 5.1.1 No such user here\r\n"
          "\r\n"
          "--=_report_20c365daba05b15dcdbf654e\r\n"
          "Content-Type: text/rfc822-headers\r\n"
          "\r\n"
          "From: Alice <alice@a.test>\r\n"
          "To: Bob <bob@b.test>\r\n"
          "Message-ID: <m1@a.test>\r\n"
          "Subject: Hi\r\n"
          "\r\n"
          "--=_report_20c365daba05b15dcdbf654e--\r\n");
}

// RFC 3461 6.2, RFC 3464 2.3.5, RFC 3464 2.3.6.
TEST_CASE("what was not asked for is left out, and our own words are no SMTP reply") {
    auto input = failure();
    input.envid.clear();
    input.recipients.front().orcpt.clear();
    input.recipients.front().remote_mta.clear();
    input.recipients.front().reply = {451, {4, 4, 7}, "not delivered within 5 days"};
    const auto found = parts(build_report(input));
    REQUIRE(found.size() == 3);
    CHECK(found[0].ends_with(
        "Your message to <bob@b.test> could not be delivered.\r\nThe reason:\r\n\r\n"
        "    451 4.4.7 not delivered within 5 days\r\n"));
    CHECK(found[1] ==
          "Content-Type: message/delivery-status\r\n\r\n"
          "Reporting-MTA: dns; mx.a.test\r\n"
          "X-Packetboat-Queue-ID: 4XbQ\r\n"
          "Arrival-Date: Tue, 01 Dec 2026 00:00:00 +0000\r\n\r\n"
          "Final-Recipient: rfc822; bob@b.test\r\n"
          "Action: failed\r\n"
          "Status: 4.4.7\r\n"
          "Diagnostic-Code: x-packetboat; 451 4.4.7 not delivered within 5 days\r\n");
}

// RFC 3461 4.3.
TEST_CASE("RET=FULL brings the whole message back, byte for byte") {
    auto input = failure();
    input.ret = Ret::full;
    const auto found = parts(build_report(input));
    REQUIRE(found.size() == 3);
    CHECK(found[2] == "Content-Type: message/rfc822\r\n\r\n" + std::string(kOriginal));
}

// RFC 3464 2.3.
TEST_CASE("several recipients have a group of fields each, and one subject") {
    auto input = failure();
    input.recipients.push_back({.address = "carol@c.test",
                                .orcpt = "",
                                .action = Action::delayed,
                                .reply = {451, {4, 4, 1}, "no answer"},
                                .remote_mta = ""});
    const std::string report = build_report(input);
    CHECK(has(report, "Subject: What became of your message\r\n"));
    const auto found = parts(report);
    CHECK(has(
        found[0],
        "Your message to <carol@c.test> has not been delivered yet. It will be tried\r\nagain;"));
    CHECK(has(
        found[1],
        "\r\n\r\nFinal-Recipient: rfc822; carol@c.test\r\nAction: delayed\r\nStatus: 4.4.1\r\n"));
}

// RFC 3464 2.3.3.
TEST_CASE("every action has its words") {
    for (const auto action :
         {Action::failed, Action::delayed, Action::delivered, Action::relayed, Action::expanded}) {
        auto input = failure();
        input.recipients.front().action = action;
        const std::string report = build_report(input);
        CHECK(has(report, "\r\nAction: " + std::string(to_text(action)) + "\r\n"));
        CHECK_FALSE(has(report, "What became"));
    }
    CHECK(mail::to_text(Action::expanded) == "expanded");
}

TEST_CASE("8-bit content is declared, part by part") {
    auto input = failure();
    const std::string original = "Subject: gr\xC3\xBC\xC3\x9F\r\n\r\nbody\r\n";
    input.original = original;
    std::string report = build_report(input);
    CHECK(has(mail::header_of(report), "Content-Transfer-Encoding: 8bit\r\n"));
    auto found = parts(report);
    CHECK_FALSE(has(found[0], "8bit"));
    CHECK_FALSE(has(found[1], "8bit"));
    CHECK(found[2] ==
          "Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
          "Subject: gr\xC3\xBC\xC3\x9F\r\n");

    input = failure();
    input.recipients.front().reply.text = "Empf\xC3\xA4nger unbekannt";
    found = parts(build_report(input));
    CHECK(has(found[0],
              "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"));
    CHECK(has(found[0], "    550 5.1.1 Empf\xC3\xA4nger unbekannt\r\n"));
    // message/delivery-status is ASCII (RFC 3464 2.1.1)
    CHECK(has(found[1], "Diagnostic-Code: smtp; 550 5.1.1 Empf??nger unbekannt\r\n"));
}

// RFC 6533 4.1, RFC 6533 4.2, RFC 6533 4.3.
TEST_CASE("an internationalised mail has an internationalised report (RFC 6533)") {
    auto input = failure();
    input.smtputf8 = true;
    input.to = "\xC3\xA5sa@a.test";
    input.recipients.front().address = "j\xC3\xB6rg@b.test";
    input.recipients.front().orcpt = "utf-8;j\xC3\xB6rg@b.test";
    std::string report = build_report(input);
    CHECK(has(report, "To: <\xC3\xA5sa@a.test>\r\n"));
    CHECK(has(report, "multipart/report; report-type=global-delivery-status;\r\n"));
    auto found = parts(report);
    CHECK(
        found[1].starts_with("Content-Type: message/global-delivery-status\r\n"
                             "Content-Transfer-Encoding: 8bit\r\n\r\n"));
    CHECK(has(found[1],
              "Original-Recipient: utf-8;j\xC3\xB6rg@b.test\r\n"
              "Final-Recipient: utf-8; j\xC3\xB6rg@b.test\r\n"));
    CHECK(found[2].starts_with("Content-Type: message/global-headers\r\n"));
    input.ret = Ret::full;
    CHECK(has(build_report(input), "Content-Type: message/global\r\n"));

    // Where the report itself has to be ASCII, the address is spelled out.
    input.smtputf8 = false;
    input.to = "alice@a.test";
    found = parts(build_report(input));
    CHECK(has(found[1],
              "Original-Recipient: utf-8;j\\x{F6}rg@b.test\r\n"
              "Final-Recipient: utf-8; j\\x{F6}rg@b.test\r\n"));
    input.recipients.front().address = "\xF0\x9F\x93\xA6\xE2\x82\xAC@b.test";
    CHECK(has(build_report(input), "Final-Recipient: utf-8; \\x{1F4E6}\\x{20AC}@b.test\r\n"));
}

TEST_CASE("nothing from outside starts a field, a part or a line of its own") {
    const std::string evil = "x\r\n\r\nX-Evil: yes\r\n--=_report_20c365daba05b15dcdbf654e--\r\n";
    auto input = failure();
    input.reporting_mta = input.envid = input.queue_id = input.to = input.report_from =
        input.message_id = evil;
    input.recipients.front().address = input.recipients.front().remote_mta = evil;
    input.recipients.front().orcpt = "rfc822;" + evil;
    input.recipients.front().reply.text = evil;
    input.original = "Message-ID: <a\rX-Evil: yes@b>\r\n\r\n";
    const std::string report = build_report(input);
    CHECK_FALSE(has(report, "\nX-Evil"));
    CHECK(parts(report).size() == 3);
    for (const auto piece : {std::string_view("In-Reply-To"), std::string_view("References")})
        CHECK_FALSE(has(report, piece));
}

TEST_CASE("the boundary occurs in no part") {
    auto input = failure();
    const std::string original = "A: b\r\n\r\n--=_report_20c365daba05b15dcdbf654e\r\n";
    input.original = original;
    input.ret = Ret::full;
    const std::string report = build_report(input);
    CHECK(has(report, "boundary=\"=_report_e31057733c41e2d97b2a5b0a\""));
    const auto found = parts(report);
    REQUIRE(found.size() == 3);
    CHECK(found[2].ends_with(original));
}

// RFC 5322 2.1.1.
TEST_CASE("a report is bounded lines, however long its values are") {
    auto input = failure();
    const std::string words = std::string(5000, 'w') + " " + std::string(5000, 'v');
    input.reporting_mta = input.envid = input.queue_id = input.to = input.report_from =
        input.message_id = words;
    input.recipients.front().address = input.recipients.front().remote_mta = words;
    input.recipients.front().orcpt = "rfc822;" + words;
    input.recipients.front().reply.text = words;
    check_lines_of(build_report(input));
    input.recipients.front().reply.text =
        "one two three four five six seven eight nine ten eleven twelve thirteen";
    CHECK(has(build_report(input),
              "    550 5.1.1 one two three four five six seven eight nine ten eleven twelve\r\n    "
              "thirteen\r\n"));
}

TEST_CASE("of a huge header whole fields come back, up to a bound") {
    std::string original;
    while (original.size() < 3 * base::limits::kReportHeader)
        original += "X-Field: " + std::string(1000, 'x') + "\r\n\tfolded\r\n";
    auto input = failure();
    input.original = original;
    const auto found = parts(build_report(input));
    const std::string lead = "Content-Type: text/rfc822-headers\r\n\r\n";
    REQUIRE(found[2].starts_with(lead));
    const std::string returned = found[2].substr(lead.size());
    CHECK(returned.size() <= base::limits::kReportHeader);
    CHECK(returned.size() > base::limits::kReportHeader - 1100);
    CHECK(original.starts_with(returned));
    CHECK(returned.ends_with("folded\r\n"));
}

TEST_CASE("a report on garbage is still a report") {
    auto input = failure();
    for (const std::string_view original :
         {std::string_view(""), std::string_view("no header"), std::string_view("\r\n"),
          std::string_view("A: no line end")}) {
        for (const auto ret : {Ret::unset, Ret::full, Ret::headers}) {
            input.original = original;
            input.ret = ret;
            const auto found = parts(build_report(input));
            REQUIRE(found.size() == 3);
            CHECK(found[2].ends_with(ret == Ret::full ? original : mail::header_of(original)));
        }
    }
}

TEST_CASE("the names of hosts and components are in A-labels where their type is dns") {
    for (const bool smtputf8 : {false, true}) {
        auto input = failure();
        input.smtputf8 = smtputf8;
        input.reporting_mta = "mx.xn--bcher-kva.test";
        input.recipients[0].remote_mta =
            "mail.b\xC3\xBC"
            "cher.test";
        const auto text = build_report(input);
        CHECK(text.find("Remote-MTA: dns; mail.xn--bcher-kva.test\r\n") != std::string::npos);
        CHECK(text.find("Reporting-MTA: dns; mx.xn--bcher-kva.test\r\n") != std::string::npos);
        // People read it as it is spoken.
        CHECK(text.find("The mail system of mail.b\xC3\xBC"
                        "cher.test said:") != std::string::npos);
    }
}
