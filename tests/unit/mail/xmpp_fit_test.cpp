// XmppFit: what the transfer protocol carries, and what has to go by SMTP.
#include "mail/xmpp_fit.hpp"

#include <catch2/catch.hpp>

using mail::fits_xmpp;
using mail::Mailbox;
using mail::unfit_for_xmpp;

namespace {

Mailbox loosely(std::string_view text) {
    return Mailbox::parse_loosely(text).value();
}

bool fits(std::string_view content) {
    return !unfit_for_xmpp(content);
}

}  // namespace

TEST_CASE("both addresses have to keep the grammar, and the recipient's domain to be a name") {
    const auto good = loosely("a@a.test");
    CHECK(fits_xmpp({}, good));
    CHECK(fits_xmpp(good, good));
    CHECK(fits_xmpp(loosely("x@[192.0.2.1]"), good));
    CHECK_FALSE(fits_xmpp(loosely("x@web_01.a.test"), good));
    CHECK_FALSE(fits_xmpp(good, loosely("x@web_01.a.test")));
    CHECK_FALSE(fits_xmpp(good, loosely("x@b.test.")));
    CHECK_FALSE(fits_xmpp(good, loosely("x@[192.0.2.1]")));
}

TEST_CASE("a message has a header of fields, and no NUL") {
    using namespace std::string_literals;
    CHECK(fits(""));
    CHECK(fits("\r\nonly a body\r\n"));
    CHECK(fits("Subject: x\r\n"));
    CHECK(fits("Subject: \xE4\r\n\r\n\x01\x1B\xFF\r\n"));
    CHECK_FALSE(fits("no header\r\n"));
    CHECK_FALSE(fits("From a@b Thu Jan 1\r\nSubject: x\r\n\r\n"));
    CHECK_FALSE(fits("Subject: x\r\nno field\r\n\r\n"));
    CHECK_FALSE(fits("Subject: x\r\n\r\na\0b\r\n"s));
    CHECK_FALSE(fits("X: \0\r\n\r\n"s));
    CHECK(unfit_for_xmpp("X: \0\r\n"s)->ends_with("a NUL"));
}
