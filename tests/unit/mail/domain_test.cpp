// Domain: what is a mail domain, and when two are the same.
#include "mail/domain.hpp"

#include <catch2/catch.hpp>

using base::Errc;
using mail::Domain;

namespace {

Domain domain(std::string_view text) {
    return Domain::parse(text).value();
}

std::string labels(std::size_t count, std::size_t length) {
    std::string name;
    for (std::size_t i = 0; i < count; ++i)
        name += (i ? "." : "") + std::string(length, 'a');
    return name;
}

}  // namespace

// RFC 5891 5.
TEST_CASE("a domain is kept in lower-case A-labels") {
    const struct {
        const char* text;
        const char* ascii;
    } table[] = {
        {"a.test", "a.test"},
        {"A.TEST", "a.test"},
        {"localhost", "localhost"},
        {"mail-1.a.test", "mail-1.a.test"},
        {"3com.test", "3com.test"},
        {"1.2.3.4.test", "1.2.3.4.test"},
        {"b\xC3\xBC"
         "cher.test",
         "xn--bcher-kva.test"},
        {"B\xC3\x9C"
         "CHER.TEST",
         "xn--bcher-kva.test"},
        {"bu\xCC\x88"
         "cher.test",
         "xn--bcher-kva.test"},  // NFC first
        {"XN--BCHER-KVA.test", "xn--bcher-kva.test"},
        {"fa\xC3\x9F.test", "xn--fa-hia.test"},  // non-transitional: not "fass"
        {"\xE4\xBE\x8B\xE5\xAD\x90.\xE6\xB5\x8B\xE8\xAF\x95", "xn--fsqu00a.xn--0zwm56d"},
        {"a\xE3\x80\x82test", "a.test"},     // an ideographic full stop is a dot
        {"xn--ls8h.test", "xn--ls8h.test"},  // not IDNA 2008, but the DNS has such names
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"},
        {"[ipv6:2001:db8:0:0:0:0:0:1]", "[IPv6:2001:db8::1]"},
        {"[IPv6:::1]", "[IPv6:::1]"},
        {"[IPv6:::ffff:192.0.2.1]", "[IPv6:::ffff:192.0.2.1]"},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto parsed = Domain::parse(row.text);
        REQUIRE(parsed.has_value());
        CHECK(parsed->ascii() == row.ascii);
        CHECK(parsed->is_address_literal() == (row.text[0] == '['));
        CHECK(domain(parsed->ascii()) == *parsed);
    }
}

// RFC 1123 2.1, RFC 5321 4.1.3.
TEST_CASE("what is neither a host name nor an address literal is refused") {
    const std::string long_label = std::string(64, 'a') + ".test";
    for (const std::string bad : {"",
                                  ".",
                                  "a.test.",
                                  ".a.test",
                                  "a..test",
                                  "-a.test",
                                  "a-.test",
                                  "a_b.test",
                                  "a b.test",
                                  "a.test\n",
                                  " a.test",
                                  "a@b.test",
                                  "a.test/x",
                                  "a,b",
                                  "192.0.2.1",
                                  "a.123",
                                  "1",
                                  "[",
                                  "[]",
                                  "[192.0.2.1",
                                  "192.0.2.1]",
                                  "[192.0.2]",
                                  "[192.0.2.256]",
                                  "[192.0.2.01]",
                                  "[2001:db8::1]",
                                  "[IPv6:]",
                                  "[IPv6:2001:db8::1%lo]",
                                  "[IPv6:192.0.2.1]",
                                  "[IPv6:::1] ",
                                  "[foo:bar]",
                                  "[192.0.2.1]x",
                                  "b\xC3.test",
                                  "b>\xCC\xB8.test",  // U+226F, when it is composed
                                  "b=\xCC\xB8.test",
                                  "b<\xCC\xB8.test",
                                  "\xE2\x80\x8B.test",
                                  "\xC2\xAD",
                                  "a\xE3\x80\x82",
                                  "x_\xC3\xBC.test",
                                  "-\xC3\xBC.test",
                                  "\xC3\xBC-.test"}) {
        CAPTURE(bad);
        REQUIRE(Domain::parse(bad).has_error());
        CHECK(Domain::parse(bad).error().code == Errc::syntax);
    }
    CHECK(Domain::parse(long_label).error().code == Errc::syntax);
    CHECK(Domain::parse(std::string_view("a\0.test", 7)).error().code == Errc::syntax);
    CHECK(Domain::parse(std::string_view("\xC3\xBC\0.test", 8)).error().code == Errc::syntax);
    CHECK(Domain::parse(std::string_view("[192.0.2.1\0]", 12)).error().code == Errc::syntax);
}

// RFC 1035 2.3.4, RFC 5321 4.5.3.1.2.
TEST_CASE("a domain has bounds") {
    CHECK(Domain::parse(std::string(63, 'a') + ".test").has_value());
    const std::string most = labels(4, 63);  // 255 octets
    REQUIRE(most.size() == 255);
    CHECK(Domain::parse(most).has_value());
    CHECK(Domain::parse(most + "a").error().code == Errc::limit);
    CHECK(Domain::parse(labels(100, 10)).error().code == Errc::limit);
    CHECK(Domain::parse(std::string(1'000'000, 'a')).error().code == Errc::limit);
    std::string unicode;
    for (int i = 0; i < 100; ++i)
        unicode += "\xC3\xBC.";
    CHECK(Domain::parse(unicode + "test").error().code == Errc::limit);
}

TEST_CASE("a subdomain is below, at a label's boundary") {
    CHECK(domain("mail.a.test").is_subdomain_of(domain("a.test")));
    CHECK(domain("x.mail.A.test").is_subdomain_of(domain("a.test")));
    CHECK_FALSE(domain("a.test").is_subdomain_of(domain("a.test")));
    CHECK_FALSE(domain("a.test").is_subdomain_of(domain("mail.a.test")));
    CHECK_FALSE(domain("evila.test").is_subdomain_of(domain("a.test")));
    CHECK_FALSE(domain("a.test.evil").is_subdomain_of(domain("a.test")));
    CHECK_FALSE(domain("[192.0.2.1]").is_subdomain_of(domain("[192.0.2.1]")));
    CHECK(domain("B\xC3\x9C.test") == domain("b\xC3\xBC.TEST"));
}

// RFC 5890 2.3.2.1, RFC 7622 3.2.
TEST_CASE("a domain is written in U-labels where that is the same domain, and in a JID") {
    const std::string buecher =
        "b\xC3\xBC"
        "cher.test";
    const struct {
        std::string ascii, unicode, domainpart;
    } table[] = {
        {"a.test", "a.test", "a.test"},
        {"xn--bcher-kva.test", buecher, buecher},
        {"mail.xn--bcher-kva.test", "mail." + buecher, "mail." + buecher},
        {"xn--fsqu00a.xn--0zwm56d", "\xE4\xBE\x8B\xE5\xAD\x90.\xE6\xB5\x8B\xE8\xAF\x95",
         "\xE4\xBE\x8B\xE5\xAD\x90.\xE6\xB5\x8B\xE8\xAF\x95"},
        // RFC 3491 makes another domain of these.
        {"xn--strae-oqa.test",
         "stra\xC3\x9F"
         "e.test",
         "xn--strae-oqa.test"},
        {"xn--3xa.test", "\xCF\x82.test", "xn--3xa.test"},
        // Fake A-labels, and what IDNA 2008 does not allow.
        {"xn--zzzz.test", "xn--zzzz.test", "xn--zzzz.test"},
        {"xn--zzzz.xn--bcher-kva.test", "xn--zzzz.xn--bcher-kva.test",
         "xn--zzzz.xn--bcher-kva.test"},
        {"xn--ls8h.test", "xn--ls8h.test", "xn--ls8h.test"},
        {"xn--a-ecp.test", "xn--a-ecp.test", "xn--a-ecp.test"},
        {"[192.0.2.1]", "[192.0.2.1]", "[192.0.2.1]"},
    };
    for (const auto& row : table) {
        CAPTURE(row.ascii);
        const Domain it = domain(row.ascii);
        CHECK(it.unicode() == row.unicode);
        CHECK(it.domainpart() == row.domainpart);
        CHECK(domain(it.unicode()) == it);
        CHECK(domain(it.domainpart()) == it);
    }
    CHECK(domain("B\xC3\x9C"
                 "CHER.Test")
              .unicode() == buecher);
    CHECK(domain("XN--BCHER-KVA.test").unicode() == buecher);
    // 255 octets of A-labels.
    std::string longest = domain("\xC3\xBC.test").ascii();
    while (longest.size() < 240)
        longest = "a123456789." + longest;
    longest = std::string(255 - longest.size() - 1, 'a') + "." + longest;
    CHECK(domain(domain(longest).unicode()).ascii() == longest);
}
