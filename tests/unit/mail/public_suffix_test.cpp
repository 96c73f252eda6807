#include "mail/public_suffix.hpp"

#include <catch2/catch.hpp>

namespace {

mail::Domain domain(const char* text) {
    return *mail::Domain::parse(text);
}

}  // namespace

// RFC 7489 3.2.
TEST_CASE("an organisation's names end below a public suffix") {
    CHECK(mail::organizational_domain(domain("a.b.example.co.uk")).ascii() == "example.co.uk");
    CHECK(mail::organizational_domain(domain("co.uk")).ascii() == "co.uk");
    CHECK(mail::organizational_domain(domain("a.test")).ascii() == "a.test");
    CHECK(mail::organizational_domain(domain("[192.0.2.1]")).ascii() == "[192.0.2.1]");
}

TEST_CASE("a domain speaks for those below it, unless it is a public suffix") {
    using mail::is_own_subdomain;
    CHECK(is_own_subdomain(domain("news.example.co.uk"), domain("example.co.uk")));
    CHECK(is_own_subdomain(domain("x.mail.a.test"), domain("mail.a.test")));
    CHECK_FALSE(is_own_subdomain(domain("example.co.uk"), domain("example.co.uk")));
    CHECK_FALSE(is_own_subdomain(domain("example.co.uk"), domain("co.uk")));
    CHECK_FALSE(is_own_subdomain(domain("news.example.co.uk"), domain("co.uk")));
    CHECK_FALSE(is_own_subdomain(domain("alice.github.io"), domain("github.io")));
    CHECK_FALSE(is_own_subdomain(domain("a.test"), domain("test")));
    // Somebody's own domain, with a public suffix further down.
    CHECK_FALSE(is_own_subdomain(domain("bucket.s3.amazonaws.com"), domain("amazonaws.com")));
}
