// Envelope: the parameters of RFC 3461, in and out.
#include "mail/envelope.hpp"

#include <catch2/catch.hpp>

using base::Errc;
using mail::decode_xtext;
using mail::encode_xtext;
using mail::Notify;

// RFC 3461 4.1.
TEST_CASE("NOTIFY is read from SMTP and from XML") {
    const struct {
        const char* smtp;
        const char* xml;
        Notify notify;
    } table[] = {
        {"NEVER", "never", {.never = true}},
        {"SUCCESS", "success", {.success = true}},
        {"Failure", "failure", {.failure = true}},
        {"delay,SUCCESS", "success delay", {.success = true, .delay = true}},
        {"SUCCESS,FAILURE,DELAY",
         "success failure delay",
         {.success = true, .failure = true, .delay = true}},
    };
    for (const auto& row : table) {
        CAPTURE(row.smtp);
        REQUIRE(Notify::parse(row.smtp, ',').has_value());
        CHECK(*Notify::parse(row.smtp, ',') == row.notify);
        REQUIRE(Notify::parse(row.xml, ' ').has_value());
        CHECK(*Notify::parse(row.xml, ' ') == row.notify);
        CHECK(row.notify.to_text(' ') == row.xml);
        CHECK(*Notify::parse(row.notify.to_text(','), ',') == row.notify);
    }
    CHECK(*Notify::parse("  success   delay ", ' ') == Notify{.success = true, .delay = true});
    CHECK(Notify{}.to_text(',').empty());
}

// RFC 3461 4.1.
TEST_CASE("a NOTIFY that RFC 3461 does not allow is refused") {
    for (const char* bad : {"", ",", "SUCCESS,", ",SUCCESS", "SUCCESS,,DELAY", "SUCCESS,SUCCESS",
                            "NEVER,SUCCESS", "DELAY,NEVER", "NEVER,NEVER", "SOMETIMES",
                            "SUCCESS DELAY", " SUCCESS", "SUCCESS, DELAY"}) {
        CAPTURE(bad);
        REQUIRE(Notify::parse(bad, ',').has_error());
        CHECK(Notify::parse(bad, ',').error().code == Errc::syntax);
    }
    for (const char* bad : {"", " ", "success,delay", "success\tdelay", "success success"}) {
        CAPTURE(bad);
        CHECK(Notify::parse(bad, ' ').has_error());
    }
}

// RFC 3461 4.1.
TEST_CASE("failures are reported unless NOTIFY says otherwise") {
    CHECK(Notify{}.wants_failure());
    CHECK(Notify{.failure = true}.wants_failure());
    CHECK_FALSE(Notify{.never = true}.wants_failure());
    CHECK_FALSE(Notify{.success = true}.wants_failure());
    CHECK_FALSE(Notify{}.is_set());
}

// RFC 3461 4.
TEST_CASE("xtext escapes what RFC 3461 says") {
    CHECK(encode_xtext("QQ314159") == "QQ314159");
    CHECK(encode_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
    CHECK(encode_xtext("j\xC3\xB6") == "j+C3+B6");
    CHECK(*decode_xtext("rfc822;a+2Bb@b.test") == "rfc822;a+b@b.test");
    CHECK(*decode_xtext("a+2bb") == "a+b");
    CHECK(decode_xtext("")->empty());
    CHECK(*decode_xtext("utf-8;j\xC3\xB6rg@b.test") == "utf-8;j\xC3\xB6rg@b.test");
    CHECK(*decode_xtext("utf-8;j\\x{F6}rg@b.test") == "utf-8;j\\x{F6}rg@b.test");
}

TEST_CASE("an escape in xtext has two hexadecimal digits") {
    for (const char* const bad : {"+", "+4", "a+", "+4G", "+G4", "a+2", "+ 41", "+-1"}) {
        CAPTURE(bad);
        CHECK_FALSE(decode_xtext(bad));
    }
}

TEST_CASE("every printable text survives xtext") {
    std::string all;
    for (char c = ' '; c <= '~'; ++c)
        all += c;
    all += "\xC3\xB6\xE2\x82\xAC";
    for (std::size_t start = 0; start < all.size() - 5; ++start) {
        const std::string text = all.substr(start, 1) + all;
        const std::string encoded = encode_xtext(text);
        REQUIRE(encoded.find_first_of(" =") == std::string::npos);
        REQUIRE(*decode_xtext(encoded) == text);
    }
}

// RFC 3461 4.
TEST_CASE("what is no xtext, or hides a control character, is refused") {
    for (const char* bad : {"+", "+2", "a+2", "+2G", "+G2", "a=b", "a b", "a\tb", "a\r\nb",
                            "+0D+0A", "+00", "+7F", "\x7F", "+FF", "\xFF", "+C3", "\xC3"}) {
        CAPTURE(bad);
        REQUIRE(decode_xtext(bad).has_error());
        CHECK(decode_xtext(bad).error().code == Errc::syntax);
    }
}

TEST_CASE("envelopes are equal if all of their parts are") {
    const auto address = mail::Mailbox::parse("bob@b.test").value();
    mail::Envelope one;
    one.recipients.push_back({0, address, {}, ""});
    mail::Envelope two = one;
    CHECK(one == two);
    two.recipients.front().notify.delay = true;
    CHECK_FALSE(one == two);
}
