// HeaderScanner: fields as they are, and nothing from the body.
#include "mail/header_scanner.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <catch2/catch.hpp>

using mail::header_of;
using mail::HeaderScanner;
using mail::summarize_header;

namespace {

std::vector<std::string> names(std::string_view content) {
    std::vector<std::string> found;
    HeaderScanner scanner(content);
    while (const auto field = scanner.next())
        found.emplace_back(field->name);
    CHECK_FALSE(scanner.next());  // and it stays at the end
    return found;
}
using Names = std::vector<std::string>;

}  // namespace

// RFC 5322 2.2, RFC 5322 2.2.3, RFC 5322 4.5.8.
TEST_CASE("a field has a name, a value and its raw bytes") {
    HeaderScanner scanner("Subject: hello\r\n\tworld\r\nX-Empty:\r\nto :b\r\n\r\nbody: no\r\n");
    const auto subject = scanner.next();
    REQUIRE(subject);
    CHECK(subject->name == "Subject");
    CHECK(subject->value == " hello\r\n\tworld");
    CHECK(subject->raw == "Subject: hello\r\n\tworld\r\n");
    const auto empty = scanner.next();
    REQUIRE(empty);
    CHECK(empty->name == "X-Empty");
    CHECK(empty->value.empty());
    const auto to = scanner.next();
    REQUIRE(to);
    CHECK(to->name == "to");
    CHECK(to->value == "b");
    CHECK(to->raw == "to :b\r\n");
    CHECK_FALSE(scanner.next());
}

TEST_CASE("the header ends at the empty line, at the end, or at what is no field") {
    CHECK(names("") == Names{});
    CHECK(names("\r\nA: b\r\n") == Names{});
    CHECK(names("A: b\r\n\r\nC: d\r\n") == Names{"A"});
    CHECK(names("A: b\r\nC: d\r\n") == Names{"A", "C"});
    CHECK(names("A: b\r\nC: d") == Names{"A", "C"});
    CHECK(names("A: b\r\nno field\r\nC: d\r\n") == Names{"A"});
    CHECK(names("From alice@a.test Tue Dec  1 10:00:00 2026\r\nA: b\r\n") == Names{});
    CHECK(names(" A: b\r\n") == Names{});
    CHECK(names(": b\r\n") == Names{});
    CHECK(names("A") == Names{});
    CHECK(names("A ") == Names{});
    CHECK(names("A\xC3\xA4: b\r\n") == Names{});
    CHECK(names("A: b\r\n \r\n\t\r\nC: d\r\n") ==
          Names{"A", "C"});  // obs-fold: blank lines that fold
    CHECK(names("A: b\nC: d\n\nE: f\n") == Names{"A", "C"});
    CHECK(names(std::string_view("\0: b\r\n", 6)) == Names{});
}

TEST_CASE("the header part is whole fields, without the empty line") {
    CHECK(header_of("A: b\r\n c\r\n\r\nbody\r\n") == "A: b\r\n c\r\n");
    CHECK(header_of("A: b\r\nbody\r\n") == "A: b\r\n");
    CHECK(header_of("A: b\r\n") == "A: b\r\n");
    CHECK(header_of("\r\nbody\r\n").empty());
    CHECK(header_of("").empty());
}

TEST_CASE("the fields that are found are the header, byte for byte, wherever it is cut") {
    const std::string_view content =
        "Received: from a\r\n\tby b; x\r\nFrom: A <a@a.test>\r\nX:y\r\n z\r\n\r\nbody: x\r\n";
    for (std::size_t size = 0; size <= content.size(); ++size) {
        const std::string_view cut = content.substr(0, size);
        std::string raw;
        HeaderScanner scanner(cut);
        while (const auto field = scanner.next()) {
            REQUIRE(field->raw.starts_with(field->name));
            raw += field->raw;
        }
        REQUIRE(cut.starts_with(raw));
        REQUIRE(header_of(cut) == raw);
    }
}

// RFC 5321 6.3.
TEST_CASE("the summary has Message-ID, From and the number of hops") {
    const auto summary = summarize_header(
        "Received: one\r\nRECEIVED: two\r\nmessage-id: (x)\r\n <1@a.test> (y)\r\n"
        "From: =?utf-8?q?A?=\r\n\t<alice@a.test>\r\nFrom: second\r\nMessage-ID: <2@a.test>\r\n\r\n"
        "Received: three\r\n");
    CHECK(summary.received == 2);
    CHECK(summary.message_id == "<1@a.test>");
    CHECK(summary.from == "=?utf-8?q?A?= <alice@a.test>");
}

TEST_CASE("a summary of garbage is empty, bounded and printable") {
    CHECK(summarize_header("").message_id.empty());
    CHECK(summarize_header("\x01\x02").from.empty());
    CHECK(summarize_header("Message-ID: none\r\n").message_id == "none");
    CHECK(summarize_header("Message-ID:\r\n").message_id.empty());
    CHECK(summarize_header("Message-ID: <a\r\n").message_id == "<a");
    CHECK(summarize_header("From: a\x01\x7F\rb\r\n").from == "a??b");
    const auto summary = summarize_header("From: " + std::string(499, 'a') + "\xE2\x82\xAC" +
                                          std::string(100'000, 'b') + "\r\nMessage-ID: <" +
                                          std::string(100'000, 'c') + ">\r\n");
    CHECK(summary.from == std::string(499, 'a'));
    CHECK(summary.message_id.size() == 500);
    const auto whole =
        summarize_header("From: " + std::string(497, 'a') + "\xE2\x82\xAC" + "b\r\n");
    CHECK(whole.from == std::string(497, 'a') + "\xE2\x82\xAC");
}

TEST_CASE("what a report returns of a header is its beginning, in whole fields") {
    const std::string first = "Subject: hello\r\n";
    const std::string long_one =
        "X-Long: " + std::string(base::limits::kReportHeader, 'x') + "\r\n";
    CHECK(summarize_header(first + "From: a@a.test\r\n\r\nbody").returned == first.size() + 16);
    CHECK(summarize_header(first + long_one + "From: a@a.test\r\n\r\n").returned == first.size());
    CHECK(summarize_header(long_one + first).returned == 0);
}

// RFC 2919, RFC 2369.
TEST_CASE("one field that says bulk is enough, wherever it stands") {
    CHECK(summarize_header("List-Id: <l.b.test>\r\nFrom: a@a.test\r\n\r\n").bulk);
    CHECK(summarize_header("From: a@a.test\r\nPrecedence: bulk\r\n\r\n").bulk);
    CHECK_FALSE(summarize_header("From: a@a.test\r\n\r\nList-Id: <l.b.test>\r\n").bulk);
}
