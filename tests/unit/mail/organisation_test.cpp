#include "mail/organisation.hpp"

#include <string>

#include <catch2/catch.hpp>

using mail::Organisation;

TEST_CASE("all names below one registered domain are one organisation, however they are spelt") {
    const auto evil = Organisation::of("evil.test");
    CHECK(evil.name() == "evil.test");
    for (const char* name :
         {"mail.evil.test", "x1.mail.EVIL.test", "_x.evil.test", "evil.test.", "evil.test...",
          "a.b.c.d.e.f.g.h.i.j.evil.test", "-.evil.test", "\xff.evil.test"})
        CHECK(Organisation::of(name) == evil);
    CHECK(Organisation::of(std::string(60, 'x') + "." + std::string(2000, 'y') + ".evil.test") ==
          evil);
    CHECK(Organisation::of("mail.b\xc3\xbc"
                           "cher.test") == Organisation::of("xn--bcher-kva.test"));
    CHECK(Organisation::of("eviltest") != evil);
    CHECK(Organisation::of("evil.test.b.test") != evil);
}

TEST_CASE("neighbours below a public suffix are different; a suffix and a single label are too") {
    CHECK(Organisation::of("a.co.uk") != Organisation::of("b.co.uk"));
    CHECK(Organisation::of("co.uk").name() == "co.uk");
    CHECK(Organisation::of("localhost").name() == "localhost");
    CHECK(Organisation::of("").name().empty());
}

TEST_CASE("addresses of hosts are one organisation: nobody's mail depends on one") {
    CHECK(Organisation::of("192.0.2.1") == Organisation::of("198.51.100.2"));
    CHECK(Organisation::of("[2001:db8::1]") == Organisation::of("192.0.2.1"));
    CHECK(Organisation::of("[192.0.2.1]") == Organisation::of("2001:db8::2"));
}
