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

// RFC 9989 4.4.
TEST_CASE("domains align by their organisation, unless a policy wants them to be the same") {
    const auto align = [](const char* authenticated, const char* shown, bool only_strict = false) {
        return mail::alignment(mail::DomainOwner::by_public_suffix(domain(authenticated)),
                               mail::DomainOwner::by_public_suffix(domain(shown)), only_strict);
    };
    CHECK(align("example.org", "example.org") == Alignment::strict);
    CHECK(align("example.org", "example.org", true) == Alignment::strict);
    CHECK(align("example.org", "news.example.org") == Alignment::relaxed);
    CHECK(align("example.org", "news.example.org", true) == Alignment::none);
    CHECK(align("a.co.uk", "b.co.uk") == Alignment::none);
    CHECK(align("example.org", "example.org.evil.test") == Alignment::none);
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

// RFC 9989 4.10.2.
TEST_CASE("the trace goes by what the DNS says of the domains, and says whose policy that was") {
    mail::XmppAuthentication known{"mx.b.test", "pkix", domain("example.org"), "bounce.example.org",
                                   domain("news.example.org")};
    CHECK(mail::to_look_up(known) == std::vector{domain("example.org"), domain("news.example.org"),
                                                 domain("bounce.example.org")});
    known.owners = {mail::DomainOwner{domain("example.org"), domain("example.org")},
                    mail::DomainOwner{domain("news.example.org"), domain("example.org"),
                                      domain("example.org"), false, true},
                    mail::DomainOwner{domain("bounce.example.org"), domain("example.org")}};
    // aspf is for the envelope's sender, and his own.
    CHECK(mail::authentication_results_field(known) ==
          "Authentication-Results: mx.b.test; x-xmpp-s2s=pass policy.assurance=pkix\r\n"
          "\tpolicy.domain=example.org smtp.mailfrom=bounce.example.org\r\n"
          "\theader.from=news.example.org policy.dmarc-domain=example.org\r\n"
          "\tpolicy.mailfrom-aligned=relaxed policy.from-aligned=relaxed\r\n");
    known.owners[1].strict_dkim = true;
    CHECK(mail::authentication_results_field(known).ends_with(
        "aligned=relaxed policy.from-aligned=no\r\n"));
    known.owners[1].strict_dkim = false;
    known.owners[2].strict_spf = true;
    CHECK(mail::authentication_results_field(known).ends_with(
        "aligned=no policy.from-aligned=relaxed\r\n"));
    // Of other organisations, or of the same one, than the Public Suffix List has it.
    known.owners[1].organisation = domain("news.example.org");
    CHECK(mail::authentication_results_field(known).ends_with("policy.from-aligned=no\r\n"));
    known.author = domain("other.test");
    known.owners[1] = {domain("other.test"), domain("example.org")};
    CHECK(mail::authentication_results_field(known).ends_with("policy.from-aligned=relaxed\r\n"));
    CHECK(mail::authentication_results_field(known).find("dmarc") == std::string::npos);
}

TEST_CASE("nothing is looked up where domains are the same, or nothing is known of them") {
    using Domains = std::vector<mail::Domain>;
    mail::XmppAuthentication known{"mx.b.test", "pkix", domain("a.test"), "a.test",
                                   domain("a.test")};
    CHECK(mail::to_look_up(known).empty());
    known.envelope_domain = "A.test";
    CHECK(mail::to_look_up(known).empty());
    known.envelope_domain.clear();
    known.author.reset();
    CHECK(mail::to_look_up(known).empty());
    known.envelope_domain = "[192.0.2.1]";
    CHECK(mail::to_look_up(known).empty());
    known.envelope_domain = "lists.a.test";
    CHECK(mail::to_look_up(known) == Domains{domain("a.test"), domain("lists.a.test")});
    known.author = domain("lists.a.test");
    CHECK(mail::to_look_up(known) == Domains{domain("a.test"), domain("lists.a.test")});
    known.assurance = "dialback";
    CHECK(mail::to_look_up(known).size() == 2);
    known.assurance = "none";
    CHECK(mail::to_look_up(known).empty());
    // The same author's policy may be known for the sender's sake; it is not told by chance.
    known = {"mx.b.test", "pkix", domain("a.test"), "lists.a.test", domain("a.test")};
    known.owners = {mail::DomainOwner{domain("a.test"), domain("a.test"), domain("a.test")}};
    CHECK(mail::authentication_results_field(known).find("dmarc") == std::string::npos);
}
