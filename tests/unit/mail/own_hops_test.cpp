#include "mail/own_hops.hpp"

#include "mail/trace.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace {

const std::set<std::string> kOurs{"mail.a.test", "mail.b\xC3\xBC.test"};

std::size_t hops(const std::string& header) {
    return mail::own_hops(header + "Subject: x\r\n\r\nReceived: by mail.a.test via XMPP\r\n", kOurs,
                          "mx.a.test");
}

mail::XmppTrace trace(const std::string& by) {
    return {"mail.b.test", by, "018f", false, base::TimePoint{}, "alice@a.test"};
}

}  // namespace

// RFC 5321 6.3.
TEST_CASE("the fields that we write are found again") {
    const std::string over_xmpp = mail::received_field(trace("mail.a.test"));
    const std::string by_smtp = mail::received_field(
        mail::SmtpTrace{"mx.a.test", "127.0.0.1", "mx.a.test", "1K0RSP7MA00", {}});
    CHECK(by_smtp.starts_with("Received: from mx.a.test ([127.0.0.1]) by mx.a.test (Packetboat)"));
    CHECK(hops(over_xmpp) == 1);
    CHECK(hops(mail::received_field(trace("mail.b\xC3\xBC.test"))) == 1);
    CHECK(hops(by_smtp) == 1);
    CHECK(hops(over_xmpp + "Received: by relay.test; now\r\n" + by_smtp + over_xmpp) == 3);
}

TEST_CASE("other hops are not ours") {
    CHECK(hops(mail::received_field(trace("mail.c.test"))) == 0);
    // Our mail server, which has our host's name.
    CHECK(hops("Received: from x (x [192.0.2.1])\r\n\tby mx.a.test (Postfix) with ESMTP id 1; "
               "now\r\n") == 0);
    CHECK(hops("Received: from x (by mail.a.test via XMPP) by y.test; now\r\n") == 0);
    CHECK(hops("Received: by mail.a.test with SMTP; now\r\n") == 0);
    CHECK(hops("Received: by mail.a.test for XMPP; now\r\n") == 0);
    CHECK(hops("Received: from x; by mail.a.test via XMPP\r\n") == 0);
    // In a comment, whatever other comments are in it.
    CHECK(hops("Received: from x (y (z) by mail.a.test via XMPP ) by y.test; now\r\n") == 0);
    CHECK(hops("Received: from x (y (z)) by mail.a.test via XMPP; now\r\n") == 1);
    CHECK(hops("X-Received: by mail.a.test via XMPP; now\r\n") == 0);
}

TEST_CASE("a field that is nonsense is nobody's hop") {
    for (const char* value : {"", "by", "by mail.a.test", "by mail.a.test via", "(((", "by (", ";;",
                              "by mail.a.test via (x\\"})
        CHECK(hops(fmt::format("Received: {}\r\n", value)) == 0);
}
