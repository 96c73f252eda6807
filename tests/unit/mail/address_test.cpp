// Mailbox: the grammar of RFC 5321 4.1.2 with RFC 6531, and nothing beside it.
#include "mail/address.hpp"

#include <catch2/catch.hpp>

using base::Errc;
using mail::Mailbox;

namespace {

Mailbox mailbox(std::string_view text) {
    return Mailbox::parse(text).value();
}

}  // namespace

// RFC 5321 2.4, RFC 5321 4.1.2, RFC 6531 3.3.
TEST_CASE("an address is kept verbatim, and knows its parts") {
    const struct {
        const char* text;
        const char* local;
        const char* domain;  // as it is compared
    } table[] = {
        {"alice@a.test", "alice", "a.test"},
        {"Alice.Smith@A.Test", "Alice.Smith", "a.test"},
        {"!#$%&'*+-/=?^_`{|}~@a.test", "!#$%&'*+-/=?^_`{|}~", "a.test"},
        {"\"a b\"@a.test", "\"a b\"", "a.test"},
        {"\"a@b\"@a.test", "\"a@b\"", "a.test"},
        {"\"a\\\"b\\\\\"@a.test", "\"a\\\"b\\\\\"", "a.test"},
        {"\"..\"@a.test", "\"..\"", "a.test"},
        {"\"\"@a.test", "\"\"", "a.test"},
        {"j\xC3\xB6rg@b\xC3\xBC"
         "cher.test",
         "j\xC3\xB6rg", "xn--bcher-kva.test"},
        {"\"j\xC3\xB6rg\"@a.test", "\"j\xC3\xB6rg\"", "a.test"},
        {"alice@[192.0.2.1]", "alice", "[192.0.2.1]"},
        {"alice@[IPv6:2001:db8::1]", "alice", "[IPv6:2001:db8::1]"},
        {"a@localhost", "a", "localhost"},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        const auto parsed = Mailbox::parse(row.text);
        REQUIRE(parsed.has_value());
        CHECK(parsed->text() == row.text);
        CHECK(parsed->local_part() == row.local);
        CHECK(parsed->domain().ascii() == row.domain);
        CHECK(std::string(parsed->local_part()) + "@" + std::string(parsed->domain_text()) ==
              row.text);
        CHECK(mailbox(parsed->text()) == *parsed);
    }
}

// RFC 5321 4.1.2.
TEST_CASE("what is no address is refused") {
    for (const char* bad : {"",
                            "@",
                            "alice",
                            "alice@",
                            "@a.test",
                            ".alice@a.test",
                            "alice.@a.test",
                            "al..ice@a.test",
                            "al ice@a.test",
                            " alice@a.test",
                            "alice@a.test ",
                            "alice @a.test",
                            "alice@ a.test",
                            "<alice@a.test>",
                            "@b.test:alice@a.test",
                            "@b.test,@c.test:alice@a.test",
                            "alice@b@a.test",
                            "al(x)ice@a.test",
                            "al,ice@a.test",
                            "al;ice@a.test",
                            "al:ice@a.test",
                            "al\\ice@a.test",
                            "al\"ice\"@a.test",
                            "\"alice\"bob@a.test",
                            "\"alice@a.test",
                            "\"alice\\\"@a.test",
                            "\"alice\"",
                            "\"alice\\",
                            "\"al\rice\"@a.test",
                            "\"al\\\nice\"@a.test",
                            "\"al\tice\"@a.test",
                            "al\nice@a.test",
                            "alice@a.test\r\n",
                            "alice@a.test\r\nRCPT TO:<x@y.test>",
                            "al\x7Fice@a.test",
                            "\"al\x7Fice\"@a.test",
                            "al\x01ice@a.test",
                            "al\xC2\x85ice@a.test",
                            "\"al\xC2\x9Fice\"@a.test",
                            "al\xFFice@a.test",
                            "al\xC3@a.test",
                            "alice@a_b.test",
                            "alice@a..test",
                            "alice@a.test.",
                            "alice@[192.0.2.300]",
                            "alice@192.0.2.1"}) {
        CAPTURE(bad);
        REQUIRE(Mailbox::parse(bad).has_error());
        CHECK(Mailbox::parse(bad).error().code == Errc::syntax);
    }
    CHECK(Mailbox::parse(std::string_view("al\0ice@a.test", 13)).error().code == Errc::syntax);
    CHECK(Mailbox::parse(std::string_view("\"al\0ice\"@a.test", 15)).error().code == Errc::syntax);
}

// RFC 5321 4.1.2, RFC 5322 3.2.3.
TEST_CASE("no byte of ASCII outside of the grammar passes, wherever it stands") {
    const std::string_view atext =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~";
    for (int byte = 0; byte < 128; ++byte) {
        const char c = static_cast<char>(byte);
        CAPTURE(byte);
        const bool is_atext = atext.find(c) != std::string_view::npos;
        for (const std::string& local :
             {std::string(1, c), c + std::string("x"), "x" + std::string(1, c)})
            REQUIRE(Mailbox::parse(local + "@a.test").has_value() == is_atext);
        const bool is_printable = byte >= 32 && byte < 127;
        const bool is_plain = is_printable && c != '"';  // a backslash quotes the x behind it
        REQUIRE(Mailbox::parse("\"x" + std::string(1, c) + "x\"@a.test").has_value() == is_plain);
        REQUIRE(Mailbox::parse("\"x\\" + std::string(1, c) + "x\"@a.test").has_value() ==
                is_printable);
    }
}

// RFC 5321 4.5.3.1.1, RFC 5321 4.5.3.1.3.
TEST_CASE("an address has bounds") {
    CHECK(Mailbox::parse(std::string(256, 'a') + "@a.test").has_value());
    CHECK(Mailbox::parse(std::string(257, 'a') + "@a.test").error().code == Errc::limit);
    CHECK(Mailbox::parse("a@" + std::string(300, 'a')).error().code == Errc::limit);
    CHECK(Mailbox::parse(std::string(1'000'000, 'a')).error().code == Errc::limit);
}

// RFC 6531 3.2.
TEST_CASE("SMTPUTF8 is needed for anything that is not ASCII") {
    CHECK_FALSE(mailbox("alice@a.test").needs_smtputf8());
    CHECK_FALSE(mailbox("alice@xn--bcher-kva.test").needs_smtputf8());
    CHECK(mailbox("j\xC3\xB6rg@a.test").needs_smtputf8());
    CHECK(mailbox("alice@b\xC3\xBC"
                  "cher.test")
              .needs_smtputf8());
}

// RFC 5321 4.5.1.
TEST_CASE("the postmaster is known in any case, quoted or not") {
    CHECK(mailbox("postmaster@a.test").is_postmaster());
    CHECK(mailbox("PostMaster@a.test").is_postmaster());
    CHECK(mailbox("\"postmaster\"@a.test").is_postmaster());
    CHECK_FALSE(mailbox("postmaster2@a.test").is_postmaster());
    CHECK_FALSE(mailbox("\"\"@a.test").is_postmaster());
}

TEST_CASE("addresses are equal as text; domains in any spelling") {
    CHECK(mailbox("a@B.test") == mailbox("a@B.test"));
    CHECK_FALSE(mailbox("a@B.test") == mailbox("a@b.test"));
    CHECK(mailbox("a@B.test").domain() == mailbox("a@b.test").domain());
}

// RFC 5321 4.5.5.
TEST_CASE("the null reverse-path has no text") {
    CHECK(mail::to_text(mail::ReversePath()).empty());
    const mail::ReversePath path = mailbox("alice@a.test");
    CHECK(mail::to_text(path) == "alice@a.test");
}

TEST_CASE("what mail servers pass on is taken as it is, and known for what keeps no grammar") {
    const struct {
        std::string text;
        const char* domain;  // as it is compared
    } table[] = {
        {"root@web_01.c.test", "web_01.c.test"},
        {"root@_.C.test", "_.c.test"},
        {"x@host.123", "host.123"},
        {"x@192.0.2.1", "192.0.2.1"},
        {"x@c.test.", "c.test"},
        {"x@b\xC3\xBC"
         "cher.test.",
         "xn--bcher-kva.test"},
        {"x@-c-.test", "-c-.test"},
        {"x@[127.000.000.009]", "[127.000.000.009]"},
        {"x@[X-tag:What.ever]", "[x-tag:what.ever]"},
        {"x@b\xC3\xBC_cher.test", "b\xC3\xBC_cher.test"},
        {"a..b@c.test", "c.test"},
        {".a.@c.test", "c.test"},
        {std::string(300, 'a') + "@c.test", "c.test"},
        {std::string(1900, 'a') + "@c.test", "c.test"},
        {"\"a\x01\x1B\x7F\tb\"@c.test", "c.test"},
        {"\"a\\\x01\"@c.test", "c.test"},
        {"a\xC2\x85"
         "b@c.test",
         "c.test"},
        {"a\xE2\x80\xA8"
         "b@c.test",
         "c.test"},
    };
    for (const auto& row : table) {
        CAPTURE(row.text);
        CHECK(Mailbox::parse(row.text).has_error());
        const auto parsed = Mailbox::parse_loosely(row.text);
        REQUIRE(parsed.has_value());
        CHECK_FALSE(parsed->keeps_grammar());
        CHECK(parsed->text() == row.text);
        CHECK(parsed->domain().ascii() == row.domain);
    }
    const auto strict = Mailbox::parse_loosely("Alice@A.test");
    REQUIRE(strict.has_value());
    CHECK(strict->keeps_grammar());
    CHECK(*strict == mailbox("Alice@A.test"));
}

TEST_CASE("what no mail server passes on is no address in any way") {
    for (const std::string& bad : {std::string(),
                                   std::string("@"),
                                   std::string("alice"),
                                   std::string("alice@"),
                                   std::string("@c.test"),
                                   std::string("a b@c.test"),
                                   std::string("a\x01@c.test"),
                                   std::string("a@b@c.test"),
                                   std::string("<a@c.test>"),
                                   std::string("a@c.test>"),
                                   std::string("a@c test"),
                                   std::string("a@c..test"),
                                   std::string("a@.c.test"),
                                   std::string("a@."),
                                   std::string("a@c.test.."),
                                   std::string("a@c\x7F.test"),
                                   std::string("a@[]"),
                                   std::string("a@[1 2]"),
                                   std::string("a@[1]]"),
                                   std::string("a@[1>2]"),
                                   std::string("\"a@c.test"),
                                   std::string("\"a\\"),
                                   std::string("\"a\nb\"@c.test"),
                                   std::string("\"a\rb\"@c.test"),
                                   std::string("\"a\\\nb\"@c.test"),
                                   std::string("\"a\0b\"@c.test", 12),
                                   std::string("a\xFF@c.test"),
                                   std::string("\"\xE4\"@c.test"),
                                   std::string("a@\xE4.test"),
                                   "a@" + std::string(64, 'x') + ".test",
                                   "a@" + std::string(300, '_'),
                                   std::string(2000, 'a') + "@c.test",
                                   std::string(1'000'000, 'a')}) {
        CAPTURE(bad.substr(0, 100));
        CHECK(Mailbox::parse_loosely(bad).has_error());
    }
}

TEST_CASE(
    "nothing but an @ stands between a local part and its domain, however loosely it is read") {
    for (const char* const bad : {"alice:b.test", "alice b.test", "\"a\"b.test", "alice,b.test"}) {
        CAPTURE(bad);
        CHECK_FALSE(mail::Mailbox::parse_loosely(bad));
    }
}
