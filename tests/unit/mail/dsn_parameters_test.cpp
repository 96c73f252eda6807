// ENVID and ORCPT: what is taken can be given on, and what can't be given on is left out.
#include "mail/dsn_parameters.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"

#include <catch2/catch.hpp>

using mail::parse_envid;
using mail::parse_orcpt;
using mail::write_envid;
using mail::write_orcpt;

TEST_CASE("an ENVID is printable ASCII, however it is encoded (RFC 3461 4.4)") {
    CHECK(*parse_envid("QQ+2B1+20x") == "QQ+1 x");
    CHECK(write_envid("QQ+1 x") == "QQ+2B1+20x");
    for (const std::string& bad :
         {std::string("a+C3+A4b"), std::string("a\xC3\xA4"), std::string("+C2+9B"),
          std::string("a+0D+0A"), std::string("a+09"), std::string("+7F"), std::string("a+FF"),
          std::string(""), std::string("a=b"), std::string("a+2"), std::string(101, 'x')}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_envid(bad));
    }
    CHECK(parse_envid(std::string(100, 'x')));
}

TEST_CASE("an ORCPT of type utf-8 follows RFC 6533 3") {
    const std::string orcpt = "utf-8;j\xC3\xB6\\x{F6}\\x{2B}\\x{5C}\\x{10FFFF}@b.test";
    CHECK(*parse_orcpt(orcpt) == orcpt);
    CHECK(write_orcpt(orcpt) == "utf-8;j\\x{F6}\\x{F6}\\x{2B}\\x{5C}\\x{10FFFF}@b.test");
    CHECK(*parse_orcpt("UTF-8;\\x{d7ff}\\x{e000}\\x{20}@b.test") ==
          "UTF-8;\\x{d7ff}\\x{e000}\\x{20}@b.test");
    for (const char* bad : {
             "\\x{110000}",     // beyond Unicode
             "\\x{FFFFFFFFF}",  // the same
             "\\x{D800}",
             "\\x{DFFF}",  // surrogates
             "\\x{41}",
             "\\x{7E}",  // need not be encoded
             "\\x{0}",
             "\\x{A}",
             "\\x{7F}",
             "\\x{9B}",
             "\\x{85}",  // control characters
             "\\x{0F6}",
             "\\x{00F6}",  // not the shortest form
             "\\x{}",
             "\\x{G1}",
             "\\x{F6",
             "\\x{+6}",
             "\\x{ 6}",
             "\\xF6",
             "\\X{F6}",
             "\\",
             "a\\b",
             "a+b",
             "+C3+B6",
             "a=b",
             "a b",  // have to be encoded
             "\xC2\x9B",
             "\x7F",
             "\xFF",
             "\xED\xA0\x80",
             "",
         }) {
        CAPTURE(bad);
        CHECK_FALSE(parse_orcpt(std::string("utf-8;") + bad));
        if (*bad != '\0') CHECK_FALSE(parse_orcpt("utf-8;x" + std::string(bad) + "@b.test"));
    }
}

TEST_CASE("each other ORCPT is printable ASCII in xtext (RFC 3461 4.2)") {
    CHECK(*parse_orcpt("rfc822;bob+2Bx+20y@b.test") == "rfc822;bob+x y@b.test");
    CHECK(write_orcpt("rfc822;bob+x y@b.test") == "rfc822;bob+2Bx+20y@b.test");
    CHECK(*parse_orcpt("x-other;a\\x{F6}b") == "x-other;a\\x{F6}b");
    for (const char* bad : {"rfc822;j+C3+B6rg@b.test", "rfc822;j\xC3\xB6rg@b.test", "rfc822;",
                            "rfc822;a+0D+0Ab", "rfc822;a+C2+9Bb", "bob@b.test", ";bob@b.test",
                            "rfc 822;bob@b.test", "rfc822;bob x@b.test", ""}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_orcpt(bad));
    }
}

TEST_CASE("what would grow beyond the bound when it is written is not taken") {
    const std::string type = "utf-8;";
    const auto times = [](std::size_t count, std::string_view text) {
        std::string all;
        for (std::size_t i = 0; i < count; ++i)
            all += text;
        return all;
    };
    constexpr std::size_t kRoom = base::limits::kOrcpt - 6;
    CHECK(parse_orcpt(type + std::string(kRoom, 'x')));
    CHECK_FALSE(parse_orcpt(type + std::string(kRoom + 1, 'x')));
    CHECK(parse_orcpt(type + times(kRoom / 6, "\xC3\xB6")));
    CHECK_FALSE(parse_orcpt(type + times(kRoom / 6 + 1, "\xC3\xB6")));
}

TEST_CASE("what an older version stored is given on if it can be, and else left out") {
    CHECK(write_orcpt("utf-8;j\xC3\xB6 rg@b.test") == "utf-8;j\\x{F6}\\x{20}rg@b.test");
    CHECK(write_orcpt("utf-8;\"a\\\"b\"@b.test") == "utf-8;\"a\\x{5C}\"b\"@b.test");
    for (const std::string& bad :
         {std::string("utf-8;\xC2\x9B@b.test"), std::string("rfc822;j\xC3\xB6rg@b.test"),
          std::string("rfc822;x\r\nRSET"), std::string("rfc822"), std::string("rfc 822;x"),
          std::string("utf-8;a\n@b.test"), "rfc822;" + std::string(490, '=')}) {
        CAPTURE(bad);
        CHECK(write_orcpt(bad).empty());
    }
    CHECK(write_orcpt("").empty());
    for (const std::string& bad : {std::string("\xC3\xA4"), std::string("a\nb"), std::string(),
                                   std::string(99, '+'), std::string("\xC2\x9B")})
        CHECK(write_envid(bad).empty());
}

TEST_CASE("whatever is taken, is written as ASCII that is taken again and means the same") {
    const std::string_view pieces[] = {"\\x{F6}", "\\x{2B}",  "\\x{", "}",           "+2B",
                                       "+",       "\xC3\xB6", "x",    "=",           " ",
                                       "\\",      "+C3",      "@",    "\xE2\x80\xAE"};
    const std::size_t count = std::size(pieces);
    for (std::size_t i = 0; i < count * count * count; ++i) {
        std::string text;
        for (std::size_t rest = i, k = 0; k < 3; ++k, rest /= count)
            text += pieces[rest % count];
        CAPTURE(text);
        for (const char* type : {"utf-8;", "rfc822;"}) {
            const auto parsed = parse_orcpt(type + text);
            if (!parsed) continue;
            const std::string written = write_orcpt(*parsed);
            REQUIRE_FALSE(written.empty());
            REQUIRE(base::is_ascii(written));
            const auto again = parse_orcpt(written);
            REQUIRE(again.has_value());
            REQUIRE(write_orcpt(*again) == written);
        }
        if (const auto envid = parse_envid(text))
            REQUIRE(*parse_envid(write_envid(*envid)) == *envid);
    }
}

TEST_CASE("an internationalised ORCPT as Postfix writes it is one of type utf-8") {
    using mail::parse_orcpt_of_client;
    CHECK(*parse_orcpt_of_client("rfc822;j+C3+B6rg@b.test") == "utf-8;j\\x{F6}rg@b.test");
    CHECK(mail::write_orcpt(*parse_orcpt_of_client("RFC822;j+C3+B6+2B@b.test")) ==
          "utf-8;j\\x{F6}\\x{2B}@b.test");
    CHECK(*parse_orcpt_of_client("rfc822;bob@b.test") == "rfc822;bob@b.test");
    for (const char* bad :
         {"rfc822;j+C3rg@b.test", "rfc822;", "x400;j+C3+B6rg", "utf-8;j+C3+B6rg@b.test"})
        CHECK_FALSE(parse_orcpt_of_client(bad));
}

TEST_CASE("an ORCPT that Postfix makes of an address beyond the grammar is left out, not refused") {
    for (const std::string& text :
         {std::string("rfc822;\"a+01b\"@c.test"), std::string("rfc822;a+C2+85b@c.test"),
          std::string("rfc822;\"a+09b\"@c.test"), std::string("utf-8;a\\x{85}b@c.test"),
          "rfc822;" + std::string(600, 'a') + "@c.test"}) {
        CAPTURE(text);
        CHECK(mail::parse_orcpt(text).has_error());
        const auto orcpt = mail::parse_orcpt_of_client(text);
        REQUIRE(orcpt.has_value());
        CHECK(orcpt->empty());
    }
    for (const char* bad : {"rfc822;", "rfc822;a+0", "rfc822;a+C3b@c.test", "x-400;a+01b",
                            "utf-8;a+01b", "a@c.test"}) {
        CAPTURE(bad);
        CHECK(mail::parse_orcpt_of_client(bad).has_error());
    }
}
