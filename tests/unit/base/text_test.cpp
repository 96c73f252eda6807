// The small text functions: what parsers of every room rely on.
#include "base/text.hpp"

#include <catch2/catch.hpp>

using base::Errc;

TEST_CASE("letters are compared without regard to case, in ASCII only") {
    CHECK(base::iequals("PostMaster", "postmaster"));
    CHECK_FALSE(base::iequals("a", "ab"));
    CHECK_FALSE(base::iequals("\xC3\x84", "\xC3\xA4"));  // Ä and ä: no locale is asked
    CHECK(base::istarts_with("IPv6:::1", "ipv6:"));
    CHECK_FALSE(base::istarts_with("IP", "ipv6:"));
    CHECK(base::to_lower(std::string_view("A-Z[\xC3\x84")) == "a-z[\xC3\x84");
}

TEST_CASE("trim and split know spaces and tabs") {
    CHECK(base::trim(" \t a b \t") == "a b");
    CHECK(base::trim(" \t ").empty());
    CHECK(base::trim("").empty());
    using Pieces = std::vector<std::string_view>;
    CHECK(base::split("  a\tb  ") == Pieces{"a", "b"});
    CHECK(base::split("a,,b", ",") == Pieces{"a", "b"});
    CHECK(base::split("   ").empty());
    CHECK(base::split("").empty());
}

TEST_CASE("a number has digits only, and a bound") {
    CHECK(*base::parse_number("0") == 0);
    CHECK(*base::parse_number("18446744073709551615") == UINT64_MAX);
    CHECK(*base::parse_number("007") == 7);
    for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "1a"}) {
        CAPTURE(bad);
        REQUIRE(base::parse_number(bad).has_error());
        CHECK(base::parse_number(bad).error().code == Errc::syntax);
    }
    CHECK(base::parse_number("18446744073709551616").error().code == Errc::limit);
    CHECK(base::parse_number("11", 10).error().code == Errc::limit);
    CHECK(*base::parse_number("10", 10) == 10);
}

// RFC 3629.
TEST_CASE("UTF-8 is well-formed in its shortest form only") {
    for (const char* good : {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF",
                             "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        CAPTURE(good);
        CHECK(base::is_utf8(good));
    }
    for (const char* bad :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x28\xA1"}) {
        CAPTURE(bad);
        CHECK_FALSE(base::is_utf8(bad));
    }
    CHECK(base::is_ascii("~\x7F"));
    CHECK_FALSE(base::is_ascii("\xC3\xA4"));
    CHECK_FALSE(base::is_ascii("\x80"));
    // Any octet, wherever it stands: it is looked at in blocks.
    for (int octet = 0; octet < 256; ++octet) {
        for (const std::size_t at : {0U, 63U, 64U, 127U}) {
            std::string text(128, 'a');
            text[at] = static_cast<char>(octet);
            CHECK(base::is_ascii(text) == (octet < 0x80));
        }
    }
}

TEST_CASE("printable text has no control character and ends at a whole character") {
    CHECK(base::printable("a\r\nb\t\x7F\x01", 100) == "a??b???");
    CHECK(base::printable(std::string_view("a\0b", 3), 100) == "a?b");
    CHECK(base::printable("\xC3\xA4\xFF", 100) == "\xC3\xA4?");
    CHECK(base::printable("abc", 2) == "ab");
    CHECK(base::printable("a\xE2\x82\xAC", 3) == "a");
    CHECK(base::printable("a\xE2\x82\xAC", 4) == "a\xE2\x82\xAC");
    CHECK(base::printable("abc", 0).empty());
    // Plain runs around what is not plain, and the bound at each place of it.
    const std::string mixed =
        "ab\xC3\xA4"
        "cd\x01"
        "e\xFF";
    const std::string whole =
        "ab\xC3\xA4"
        "cd?e?";
    for (std::size_t most = 0; most <= whole.size() + 1; ++most)
        CHECK(base::printable(mixed, most) == whole.substr(0, most == 3 ? 2 : most));
}

TEST_CASE("whatever the bytes, printable text is UTF-8 within its bound") {
    std::string bytes;
    for (int i = 0; i < 1024; ++i)
        bytes += static_cast<char>(i * 37 + i / 256);
    for (std::size_t start = 0; start < bytes.size(); ++start) {
        for (const std::size_t most : {0, 1, 2, 3, 7, 100}) {
            const std::string text = base::printable(std::string_view(bytes).substr(start), most);
            REQUIRE(text.size() <= most);
            REQUIRE(base::is_utf8(text));
            REQUIRE(text.find_first_of("\r\n") == std::string::npos);
        }
    }
}
