#include "mail/alignment.hpp"

#include "mail/trace.hpp"

#include <catch2/catch.hpp>

using mail::Alignment;

namespace {

mail::Domain domain(const char* text) {
    return *mail::Domain::parse(text);
}

std::string author(const std::string& from) {
    const auto found =
        mail::author_domain("Subject: x\r\nFrom: " + from + "\r\n\r\nFrom: e@evil.test\r\n");
    return found ? found->ascii() : "none";
}

}  // namespace

// RFC 7489 3.1.
TEST_CASE("domains align by their organisation, which ends below a public suffix") {
    CHECK(mail::alignment(domain("example.org"), domain("example.org")) == Alignment::strict);
    CHECK(mail::alignment(domain("example.org"), domain("news.example.org")) == Alignment::relaxed);
    CHECK(mail::alignment(domain("a.co.uk"), domain("b.co.uk")) == Alignment::none);
    CHECK(mail::alignment(domain("example.org"), domain("example.org.evil.test")) ==
          Alignment::none);
}

TEST_CASE("the author's domain is that of the one address in the one From field") {
    CHECK(author("alice@a.test") == "a.test");
    CHECK(author("Alice <alice@A.Test>") == "a.test");
    CHECK(author("\"a@b.test\" <alice@a.test>") == "a.test");
    CHECK(author("(x@y.test (nested)) alice@a.test (more)") == "a.test");
    CHECK(author("\"q\\\"<x@y.test>\" \r\n\t<alice@a.test>") == "a.test");
    CHECK(author("<\"a b\"@a.test>") == "a.test");
    CHECK(author("=?utf-8?q?x=40y?= <alice@b\xC3\xBC"
                 "cher.test>") == "xn--bcher-kva.test");
    for (const char* bad :
         {"", "alice", "alice@a.test, eve@evil.test", "a@a.test <b@b.test> c@c.test",
          "<a@a.test> <b@b.test>", "group: a@a.test;", "group: <a@a.test>", "<<a@a.test>",
          "\"open <a@a.test>", "(open a@a.test", "<a@a.test", "a@a.test>", "<a@[192.0.2.1]>",
          "\\"}) {
        INFO(bad);
        CHECK(author(bad) == "none");
    }
    CHECK_FALSE(mail::author_domain("From: a@a.test\r\nFrom: b@b.test\r\n\r\n"));
    CHECK_FALSE(mail::author_domain("From: " + std::string(10'000, 'x') + "@a.test\r\n\r\n"));
}

TEST_CASE("the trace says whom it knows, and how sender and author fit") {
    mail::XmppAuthentication known{"mx.b.test", "pkix", domain("example.org"), "news.example.org",
                                   domain("evil.test")};
    CHECK(mail::authentication_results_field(known) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=pkix\r\n"
          "\tpolicy.domain=example.org smtp.mailfrom=news.example.org\r\n"
          "\theader.from=evil.test policy.mailfrom-aligned=relaxed policy.from-aligned=no\r\n");
    known.author = domain("example.org");
    known.envelope_domain.clear();
    CHECK(mail::authentication_results_field(known).ends_with("policy.from-aligned=strict\r\n"));
    // Nothing was authenticated, so that nothing aligns.
    known.assurance = "none";
    CHECK(mail::authentication_results_field(known).find("aligned") == std::string::npos);
}
