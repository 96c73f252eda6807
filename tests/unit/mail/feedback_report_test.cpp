#include "mail/feedback_report.hpp"

#include "base/text.hpp"

#include <catch2/catch.hpp>

using namespace mail;

namespace {

FeedbackInput complaint() {
    FeedbackInput input;
    input.reporting_mta = "mx.a.test";
    input.message_id = "<1@mx.a.test>";
    input.to = "abuse@a.test";
    input.sender = "alice@a.test";
    input.domain = "b.test";
    input.incidents = 3;
    input.consequence = "Mail to b.test is slowed.";
    input.original = "From: alice@a.test\r\nSubject: cheap\r\n\r\nnot this\r\n";
    return input;
}

std::size_t times(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("a complaint is a report that people and programs can read") {
    // RFC 5965 2, RFC 5965 3.1, RFC 5965 3.2
    const std::string report = build_feedback_report(complaint());
    CHECK(report.find("multipart/report; report-type=feedback-report;") != std::string::npos);
    CHECK(report.find("\r\nTo: <abuse@a.test>\r\n") != std::string::npos);
    CHECK(report.find("People at b.test say that 3 mails of <alice@a.test> are spam.") !=
          std::string::npos);
    CHECK(report.find("Mail to b.test is slowed.") != std::string::npos);
    const auto part = report.find("Content-Type: message/feedback-report\r\n\r\n");
    REQUIRE(part != std::string::npos);
    for (const char* const field : {"Feedback-Type: abuse\r\n", "User-Agent: Packetboat\r\n",
                                    "Version: 1\r\n", "Original-Mail-From: <alice@a.test>\r\n",
                                    "Incidents: 3\r\n", "Reporting-MTA: dns; b.test\r\n"})
        CHECK(report.find(field, part) != std::string::npos);
    const auto header = report.find("Content-Type: text/rfc822-headers\r\n\r\n", part);
    REQUIRE(header != std::string::npos);
    CHECK(report.find("Subject: cheap\r\n", header) != std::string::npos);
    CHECK(report.find("not this") == std::string::npos);
}

TEST_CASE("nothing of a complaint becomes a field or part of its own") {
    auto input = complaint();
    input.sender = "a\r\nX-Evil: 1\r\n--=_report_@a.test";
    input.domain = "b.test\r\nBcc: eve@c.test";
    const std::string original("Subject: x\r\nX: \0evil\r\n", 22);
    input.original = original;
    const std::string report = build_feedback_report(input);
    CHECK(report.find("\r\nX-Evil") == std::string::npos);
    CHECK(report.find("\r\nBcc") == std::string::npos);
    CHECK(report.find('\0') == std::string::npos);
    CHECK(report.find("Subject: x\r\n") != std::string::npos);
}

TEST_CASE("a complaint on a mail of which nothing is known still has all its parts") {
    auto input = complaint();
    input.incidents = 1;
    input.original = {};
    const std::string report = build_feedback_report(input);
    CHECK(report.find("a mail of <alice@a.test> is spam") != std::string::npos);
    CHECK(times(report, "Content-Type: text/rfc822-headers\r\n\r\nFrom: <alice@a.test>\r\n") == 1);
    CHECK(base::is_ascii(report));
}
