#include "queue/content_refusals.hpp"

#include "support/catch_result.hpp"

#include <catch2/catch.hpp>

using queue::ContentRefusals;

namespace {

mail::Reply said(int code, const char* status, const char* text) {
    return {code, *mail::EnhancedStatus::parse(status), text};
}

}  // namespace

TEST_CASE("filters' words count unless something else is said, and nobody else's") {
    const auto usual = ContentRefusals::parse(ContentRefusals::kDefault);
    REQUIRE(usual);
    CHECK(usual->has(said(554, "5.7.1", "Spam message rejected")));  // rspamd
    CHECK(usual->has(said(554, "5.7.0", "Reject, id=01 - spam")));   // Amavis
    CHECK(usual->has(said(550, "5.7.1", "virus Eicar-Signature detected by ClamAV")));
    CHECK(usual->has(said(550, "5.7.1", "message content rejected")));  // Postfix's checks
    CHECK_FALSE(usual->has(said(554, "5.7.1", "<bob@b.test>: Relay access denied")));
    CHECK_FALSE(usual->has(said(554, "5.7.1", "Client host rejected: Access denied")));
    CHECK_FALSE(usual->has(said(554, "5.7.1", "<spam@b.test>: Relay access denied")));
    CHECK_FALSE(usual->has(
        said(554, "5.7.1", "Client host [192.0.2.1] blocked using zen.spamhaus.org; antispam")));
    CHECK(usual->has(said(554, "5.7.1", "spamhaus says: SPAM")));
    CHECK_FALSE(usual->has(said(550, "5.1.1", "no such user, says the spam filter")));
    CHECK_FALSE(usual->has(said(451, "4.7.1", "Spam, perhaps: try again")));
    CHECK_FALSE(usual->has(said(250, "2.0.0", "spam, but taken")));
}

TEST_CASE("a pattern is a status, and what the text has in it") {
    const auto refusals = ContentRefusals::parse("5.7.1 Policy  Reject , 5.6.*");
    REQUIRE(refusals);
    CHECK(refusals->has(said(550, "5.7.1", "policy  reject 17")));
    CHECK_FALSE(refusals->has(said(550, "5.7.1", "policy")));
    CHECK_FALSE(refusals->has(said(550, "5.7.2", "policy  reject")));
    CHECK(refusals->has(said(550, "5.6.3", "")));
    CHECK(refusals->has(said(550, "5.6.0", "whatever")));
}

TEST_CASE("none is a pattern that nothing fits") {
    const auto none = ContentRefusals::parse(" none ");
    REQUIRE(none);
    CHECK_FALSE(none->has(said(554, "5.7.1", "Spam message rejected")));
    CHECK_FALSE(ContentRefusals().has(said(554, "5.7.1", "Spam message rejected")));
}

TEST_CASE("what is no pattern is named") {
    for (const char* bad :
         {"", ",", "spam", "4.7.1 spam", "5.7 spam", "5.*.1", "*", "5.7.1x spam"}) {
        CAPTURE(bad);
        const auto parsed = ContentRefusals::parse(bad);
        REQUIRE_FALSE(parsed);
        CHECK(parsed.error().code == base::Errc::syntax);
    }
    std::string many = "5.7.1";
    for (int i = 0; i < 49; ++i)
        many += ",5.7.1";
    CHECK(ContentRefusals::parse(many));
    const auto parsed = ContentRefusals::parse(many + ",5.7.1");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == base::Errc::limit);
}
