// Trace fields: their exact bytes, and the one thing that is taken away.
#include "mail/trace.hpp"

#include "base/text.hpp"
#include "mail/header_scanner.hpp"

#include <catch2/catch.hpp>

using mail::Domain;
using mail::with_trace;
using mail::XmppAuthentication;
using mail::XmppTrace;

namespace {

const base::TimePoint kTime{std::chrono::seconds(1796083200)};

XmppTrace a_to_b() {
    XmppTrace trace;
    trace.from = "mail.a.test";
    trace.by = "mail.b.test";
    trace.transfer_id = "0jm2k9-Zz0123456789abcdef01234567";
    trace.received_at = kTime;
    trace.for_address = "bob@b.test";
    return trace;
}

XmppAuthentication authentication(std::string_view assurance, std::string_view envelope_domain) {
    return {"mx.b.test", std::string(assurance), Domain::parse("a.test").value(),
            std::string(envelope_domain)};
}

/// It is one field: its lines but the first are folded, and none is longer than `most`.
void check_field(const std::string& field, std::size_t most) {
    mail::HeaderScanner scanner(field);
    const auto first = scanner.next();
    REQUIRE(first);
    CHECK(first->raw == field);
    for (const auto line : base::split(field, "\r\n"))
        CHECK(line.size() <= most);
}

}  // namespace

// RFC 5321 4.4, RFC 5322 2.1.1.
TEST_CASE("Received says from where, by whom, over what, and when") {
    const std::string field = mail::received_field(a_to_b());
    CHECK(field ==
          "Received: from mail.a.test by mail.b.test via XMPP with MAILXFER\r\n"
          "\tid 0jm2k9-Zz0123456789abcdef01234567 for <bob@b.test>;\r\n"
          "\tTue, 01 Dec 2026 00:00:00 +0000\r\n");
    check_field(field, 78);
}

TEST_CASE("Received without a recipient, and of an internationalised mail") {
    auto trace = a_to_b();
    trace.for_address.clear();
    CHECK(mail::received_field(trace) ==
          "Received: from mail.a.test by mail.b.test via XMPP with MAILXFER\r\n"
          "\tid 0jm2k9-Zz0123456789abcdef01234567; Tue, 01 Dec 2026 00:00:00 +0000\r\n");
    trace.smtputf8 = true;
    trace.from =
        "mail.b\xC3\xBC"
        "cher.test";
    trace.for_address = "j\xC3\xB6rg@b.test";
    CHECK(mail::received_field(trace) ==
          "Received: from mail.xn--bcher-kva.test by mail.b.test via XMPP\r\n"
          "\twith UTF8MAILXFER id 0jm2k9-Zz0123456789abcdef01234567 for <j\xC3\xB6rg@b.test>;\r\n"
          "\tTue, 01 Dec 2026 00:00:00 +0000\r\n");
    trace.for_address = "j\xE2\x80\xAErg@b.test";  // would show the rest of the line backwards
    CHECK(mail::received_field(trace).find(" for ") == std::string::npos);
    trace.for_address = "j\xC3\xB6rg@b.test";
    trace.smtputf8 = false;  // then the field has to be ASCII
    CHECK(base::is_ascii(mail::received_field(trace)));
}

TEST_CASE("what a peer says can't break out of the Received field") {
    auto trace = a_to_b();
    trace.from = "a.test\r\nX-Evil: yes";
    trace.by = "";
    trace.transfer_id = "1; Mon, (x\n<\xFF>";
    trace.for_address = "bob@b.test>\r\nX-Evil: yes";
    const std::string field = mail::received_field(trace);
    CHECK(field ==
          "Received: from a.test??X-Evil??yes by unknown via XMPP with MAILXFER\r\n"
          "\tid 1??Mon???x????; Tue, 01 Dec 2026 00:00:00 +0000\r\n");
    check_field(field, 78);
    trace.from = std::string(5000, 'a');
    trace.transfer_id = std::string(5000, 'b');
    trace.for_address = std::string(250, 'c') + "@b.test";
    check_field(mail::received_field(trace), 998);
}

// RFC 8601 2.2, RFC 8601 2.4, RFC 8601 2.7.6.
TEST_CASE("Authentication-Results says what the link vouches for") {
    CHECK(mail::authentication_results_field(authentication("pkix", "a.test")) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=pkix\r\n"
          "\tpolicy.domain=a.test smtp.mailfrom=a.test policy.mailfrom-aligned=strict\r\n"
          "\tpolicy.from-aligned=no\r\n");
    CHECK(mail::authentication_results_field(authentication("dialback", "lists.a.test")) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=dialback\r\n"
          "\tpolicy.domain=a.test smtp.mailfrom=lists.a.test\r\n"
          "\tpolicy.mailfrom-aligned=relaxed policy.from-aligned=no\r\n");
    CHECK(mail::authentication_results_field(authentication("pkix", "")) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=pkix\r\n"
          "\tpolicy.domain=a.test policy.from-aligned=no\r\n");
    CHECK(mail::authentication_results_field(authentication("none", "a.test")) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=none policy.domain=a.test\r\n"
          "\tsmtp.mailfrom=a.test\r\n");
}

// RFC 8601 2.4.
TEST_CASE("Authentication-Results says what is thought of the domain, where there is one") {
    auto known = authentication("pkix", "a.test");
    known.peer_class = "good";
    CHECK(mail::authentication_results_field(known) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=pkix\r\n"
          "\tpolicy.domain=a.test policy.class=good smtp.mailfrom=a.test\r\n"
          "\tpolicy.mailfrom-aligned=strict policy.from-aligned=no\r\n");
    auto unproven = authentication("none", "a.test");
    unproven.peer_class = "good";
    CHECK(mail::authentication_results_field(unproven) ==
          mail::authentication_results_field(authentication("none", "a.test")));
}

TEST_CASE("the link vouches for no other domain, and for none without assurance") {
    const auto result = [](std::string_view assurance, std::string_view domain) {
        const std::string field =
            mail::authentication_results_field(authentication(assurance, domain));
        const std::size_t at = field.find("x-xmpp-s2s=") + 11;
        return field.substr(at, field.find_first_of(" \r", at) - at);
    };
    CHECK(result("pkix", "A.TEST") == "pass");
    CHECK(result("pkix", "x.y.a.test") == "pass");
    CHECK(result("pkix", "eviLa.test") == "neutral");
    CHECK(result("pkix", "test") == "neutral");
    CHECK(result("pkix", "c.test") == "neutral");
    CHECK(result("pkix", "[192.0.2.1]") == "neutral");
    CHECK(result("none", "") == "none");
    CHECK(result("", "a.test") == "none");
    CHECK(result("PKIX; x=pass", "a.test") == "none");
}

TEST_CASE("who speaks for a public suffix vouches for nobody below it") {
    auto suffix = authentication("pkix", "victim.co.uk");
    suffix.domain = Domain::parse("co.uk").value();
    CHECK(mail::authentication_results_field(suffix).find("x-xmpp-s2s=neutral") !=
          std::string::npos);
}

// RFC 8601 2.2, RFC 2045 5.1.
TEST_CASE("values that are no token are quoted") {
    auto input = authentication("pkix", "[192.0.2.1]");
    input.authserv_id = "mx \"b\"\r\n;";
    CHECK(
        mail::authentication_results_field(input) ==
        "Authentication-Results: \"mx \\\"b\\\"??;\"; x-xmpp-s2s=neutral policy.assurance=pkix\r\n"
        "\tpolicy.domain=a.test smtp.mailfrom=\"[192.0.2.1]\" policy.mailfrom-aligned=no\r\n"
        "\tpolicy.from-aligned=no\r\n");
}

TEST_CASE("what rules know the field by stands in one line, however long the id is") {
    auto input = authentication("pkix", "a.test");
    input.authserv_id = std::string(60, 'm') + "." + std::string(60, 'x') + ".test";
    const std::string field = mail::authentication_results_field(input);
    CHECK(field.starts_with("Authentication-Results: " + input.authserv_id +
                            "; x-xmpp-s2s=pass policy.assurance=pkix\r\n\tpolicy.domain=a.test "));
    check_field(field, 998);
}

// RFC 8601 2.5, RFC 8601 5.
TEST_CASE("fields that claim our authserv-id are taken away, in every spelling") {
    for (const std::string forged : {
             "Authentication-Results: mx.b.test; spf=pass\r\n",
             "Authentication-Results: mx.b.test; none\r\n",
             "Authentication-Results:mx.b.test;spf=pass\r\n",
             "authentication-results : MX.B.Test; spf=pass\r\n",
             "AUTHENTICATION-RESULTS: mx.b.test\r\n",
             "Authentication-Results: mx.b.test 1; spf=pass\r\n",
             "Authentication-Results: mx.b.test/1; spf=pass\r\n",
             "Authentication-Results: mx.b.test(x)1; spf=pass\r\n",
             "Authentication-Results:\r\n\tmx.b.test;\r\n\tspf=pass\r\n",
             "Authentication-Results: (comment) mx.b.test; spf=pass\r\n",
             "Authentication-Results: (a (b\\)) \r\n c)(d)mx.b.test; spf=pass\r\n",
             "Authentication-Results: \"mx.b.test\"; spf=pass\r\n",
             "Authentication-Results: \"m\\x.b.test\"; spf=pass\r\n",
             "Authentication-Results: (x) \"MX.b.test\" 1; spf=pass\r\n",
             // As one that decodes the value first sees it.
             "Authentication-Results: =?utf-8?q?mx.b.test=3B_x-xmpp-s2s=3Dpass?=\r\n",
             "Authentication-Results: =?utf-8?q?mx?=.b.test; spf=pass\r\n",
             "Authentication-Results: mx=?utf-8?q?.b.test?=; spf=pass\r\n",
             "Authentication-Results:\r\n =?utf-8?b?bXguYi50ZXN0Ow==?=\r\n spf=pass\r\n",
         }) {
        CAPTURE(forged);
        std::string content = "From: a\r\n";
        content += forged;
        content += "To: b\r\n\r\nbody\r\n";
        CHECK(with_trace("T: x\r\n", content, "mx.b.test") ==
              "T: x\r\nFrom: a\r\nTo: b\r\n\r\nbody\r\n");
        CHECK(with_trace("", forged + forged, "mx.b.test").empty());
        CHECK(with_trace("", forged + "\r\n" + forged, "mx.b.test") == "\r\n" + forged);
    }
}

// RFC 8601 5.
TEST_CASE("fields of others stay, to the last byte") {
    for (const std::string field : {
             "Authentication-Results: mx.a.test; spf=pass\r\n",
             "Authentication-Results: mx.b.test.evil; spf=pass\r\n",
             "Authentication-Results: xmx.b.test; spf=pass\r\n",
             "Authentication-Results: (mx.b.test) mx.a.test; spf=pass\r\n",
             "Authentication-Results: mx.a.test (mx.b.test); spf=pass\r\n",
             "Authentication-Results: mx.a.test; spf=pass (=?utf-8?q?mx.b.test?=)\r\n",
             "Authentication-Results: \"mx b test\"; spf=pass\r\n",
             "Authentication-Results: (never ends mx.b.test; spf=pass\r\n",
             "Authentication-Results: \"never ends; spf=pass\r\n",
             "Authentication-Results: \"mx.b.test\r\n",
             "Authentication-Results: ; mx.b.test\r\n",
             "Authentication-Results:\r\n",
             "Authentication-Results: )\r\n",
             "Authentication-Results: (\\",
             "X-Authentication-Results: mx.b.test; spf=pass\r\n",
             "ARC-Authentication-Results: i=1; mx.b.test; spf=pass\r\n",
             "Authentication-Results-Old: mx.b.test; spf=pass\r\n",
         }) {
        CAPTURE(field);
        const std::string content = "From: a\r\n" + field;
        CHECK(with_trace("T: x\r\n", content, "mx.b.test") == "T: x\r\n" + content);
    }
}

// RFC 8601 5.
TEST_CASE("an authserv-id is the same in U-labels and A-labels") {
    const std::string unicode =
        "Authentication-Results: mx.b\xC3\xBC"
        "cher.test; spf=pass\r\n";
    CHECK(with_trace("", unicode, "mx.xn--bcher-kva.test").empty());
    CHECK(with_trace("", unicode, "mx.bucher.test") == unicode);
}

TEST_CASE("only the header is looked at, however it ends") {
    const std::string forged = "Authentication-Results: mx.b.test; spf=pass\r\n";
    CHECK(with_trace("", "A: b\r\n" + forged, "mx.b.test") == "A: b\r\n");
    CHECK(with_trace("", "A: b\r\n" + forged.substr(0, forged.size() - 2), "mx.b.test") ==
          "A: b\r\n");
    CHECK(with_trace("T: x\r\n", "no header\r\n" + forged, "mx.b.test") ==
          "T: x\r\nno header\r\n" + forged);
    CHECK(with_trace("T: x\r\n", "", "mx.b.test") == "T: x\r\n");
    CHECK(with_trace("T: x\r\n", "\r\n" + forged, "mx.b.test") == "T: x\r\n\r\n" + forged);
}

TEST_CASE("what is taken away is whole fields, whatever stands around them") {
    const std::vector<std::string> fields{
        "From: a\r\n", "Authentication-Results: mx.b.test;\r\n\tspf=pass\r\n", "X:\r\n y\r\n",
        "Authentication-Results: mx.a.test; none\r\n",
        "Authentication-Results: (c) mx.b.test; none\r\n"};
    for (unsigned pattern = 0; pattern < 5 * 5 * 5 * 5; ++pattern) {
        std::string content;
        std::string expected = "T: x\r\n";
        for (unsigned rest = pattern, i = 0; i < 4; ++i, rest /= 5) {
            content += fields.at(rest % 5);
            if (rest % 5 != 1 && rest % 5 != 4) expected += fields.at(rest % 5);
        }
        const std::string body = "\r\n" + fields.at(1);
        REQUIRE(with_trace("T: x\r\n", content + body, "mx.b.test") == expected + body);
    }
}
