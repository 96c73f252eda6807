// EnhancedStatus and Reply.
#include "mail/status.hpp"

#include <catch2/catch.hpp>

using base::Errc;
using mail::EnhancedStatus;
using mail::Reply;

// RFC 3463 2.
TEST_CASE("an enhanced status is three numbers") {
    CHECK(*EnhancedStatus::parse("5.1.1") == EnhancedStatus{5, 1, 1});
    CHECK(*EnhancedStatus::parse("2.0.0") == EnhancedStatus{2, 0, 0});
    CHECK(*EnhancedStatus::parse("4.999.999") == EnhancedStatus{4, 999, 999});
    CHECK(EnhancedStatus{5, 7, 30}.to_text() == "5.7.30");
    for (const char* bad : {"",         "5",
                            "5.1",      "5.1.",
                            "5.1.1.1",  ".1.1",
                            "5..1",     "3.1.1",
                            "1.0.0",    "6.0.0",
                            "50.1.1",   "5.1000.1",
                            "5.1.1000", "5.01.1",
                            "5.1.00",   "05.1.1",
                            "5.1.1 ",   " 5.1.1",
                            "5,1,1",    "5.-1.1",
                            "5.1.x",    "5.1.99999999999999999999"}) {
        CAPTURE(bad);
        REQUIRE(EnhancedStatus::parse(bad).has_error());
        CHECK(EnhancedStatus::parse(bad).error().code == Errc::syntax);
    }
}

TEST_CASE("every status is read as it was written") {
    for (const std::uint16_t klass : {2, 4, 5}) {
        for (std::uint16_t n = 0; n < 1000; n += 7) {
            const EnhancedStatus status{klass, n, static_cast<std::uint16_t>(999 - n)};
            REQUIRE(*EnhancedStatus::parse(status.to_text()) == status);
        }
    }
}

// RFC 5321 4.2.
TEST_CASE("a reply is success, transient or permanent") {
    const Reply good{250, {2, 1, 5}, "ok"};
    const Reply later{451, {4, 3, 0}, "later"};
    const Reply never{550, {5, 1, 1}, "No such user here"};
    CHECK((good.is_success() && !good.is_transient() && !good.is_permanent()));
    CHECK((!later.is_success() && later.is_transient() && !later.is_permanent()));
    CHECK((!never.is_success() && !never.is_transient() && never.is_permanent()));
    CHECK(never.to_text() == "550 5.1.1 No such user here");
    CHECK(Reply{250, {2, 0, 0}, ""}.to_text() == "250 2.0.0");
}

// RFC 3463 3.2.
TEST_CASE("some permanent refusals say that the recipient is wrong, whoever writes") {
    const auto about = [](int code, EnhancedStatus status) {
        return Reply{code, status, "x"}.is_about_recipient();
    };
    for (const std::uint16_t detail : {1, 2, 3, 6, 10})
        CHECK(about(550, {5, 1, detail}));
    for (const std::uint16_t detail : {0, 4, 5, 7, 8, 9, 11})
        CHECK_FALSE(about(550, {5, 1, detail}));
    CHECK_FALSE(about(450, {4, 1, 1}));
    CHECK_FALSE(about(550, {5, 7, 1}));
}
