#include "mail/own_trace.hpp"

#include "mail/trace.hpp"

#include <catch2/catch.hpp>

using namespace mail;

namespace {

/// As the last hop writes it, in front of a mail.
std::string traced(const std::string& transfer = "018f00000001", const char* by = "mail.b.test",
                   const char* id = "mx.b.test", const char* for_domain = "a.test") {
    XmppTrace trace;
    trace.from = "mail.a.test";
    trace.by = by;
    trace.transfer_id = transfer;
    XmppAuthentication authentication{id, "pkix", *Domain::parse(for_domain), "a.test"};
    authentication.peer_class = "known";
    return authentication_results_field(authentication) + received_field(trace);
}
const std::string kMail =
    "From: alice@a.test\r\nMessage-ID:\r\n <1@a.test>\r\nSubject: x\r\n\r\nHi\r\n";

std::optional<OwnTrace> found_in(const std::string& content) {
    return find_own_trace(content, {"mail.b.test"}, "mx.b.test");
}

}  // namespace

TEST_CASE("our own trace says by which transfer a mail came, and other fields whose it is") {
    const auto trace =
        found_in("Delivered-To: <bob@b.test>\r\nReceived: from x by mx.b.test with LMTP id 9\r\n" +
                 traced() + "X-Original-To: sales@b.test\r\n" + kMail);
    REQUIRE(trace);
    CHECK(trace->domain.ascii() == "a.test");
    CHECK(trace->transfer_id == "018f00000001");
    CHECK(trace->message_id == "<1@a.test>");
    CHECK(trace->recipients == std::vector<std::string>{"bob@b.test", "sales@b.test"});
}

TEST_CASE("the newest trace counts, and what others write is none") {
    CHECK(found_in(traced("01new") + traced("02old", "mail.b.test", "mx.b.test", "c.test") + kMail)
              ->transfer_id == "01new");
    CHECK_FALSE(found_in(kMail));
    CHECK_FALSE(found_in("\r\n" + traced()));  // in the body
    CHECK_FALSE(found_in(traced("01", "mail.c.test") + kMail));
    CHECK_FALSE(found_in(traced("01", "mail.b.test", "mx.c.test") + kMail));
    // The one without the other.
    const std::string both = traced();
    const auto received = both.find("Received:");
    CHECK_FALSE(found_in(both.substr(0, received) + kMail));
    CHECK_FALSE(found_in(both.substr(received) + kMail));
    CHECK_FALSE(found_in(both.substr(received) + both.substr(0, received) + kMail));
    // A field of ours about something else.
    CHECK_FALSE(found_in("Authentication-Results: mx.b.test; spf=pass policy.domain=a.test\r\n" +
                         both.substr(received) + kMail));
}

TEST_CASE("only what matters of a header is passed on, in whole lines and bounded") {
    const std::string mail =
        "Delivered-To: bob@b.test\r\nSubject: =?secret?=\r\n" + traced() + kMail;
    const std::string fields = own_trace_fields(mail, 10000);
    CHECK(fields.find("secret") == std::string::npos);
    CHECK(fields.find("From:") == std::string::npos);
    const auto again = found_in(fields + "\r\n");
    const auto whole = found_in(mail);
    REQUIRE(again);
    REQUIRE(whole);
    CHECK(again->transfer_id == whole->transfer_id);
    CHECK(again->message_id == whole->message_id);
    CHECK(again->recipients == whole->recipients);
    const std::string cut = own_trace_fields(mail, 30);
    CHECK(cut == "Delivered-To: bob@b.test\r\n");
}
