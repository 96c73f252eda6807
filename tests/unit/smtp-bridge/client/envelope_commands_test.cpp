#include "smtp-bridge/client/envelope_commands.hpp"

#include "mail/header_scanner.hpp"
#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using fixture::mailbox;
using fixture::message;

// RFC 6152 3, RFC 1870 4, RFC 6531 3.2, RFC 6531 3.5, RFC 8689 4.2.1.
TEST_CASE("what a server can't carry fails clearly, and is not sent to it") {
    const auto verdict = [](const queue::LeasedMessage& leased, const Extensions& extensions) {
        const bool eight_bit = !base::is_ascii(leased.content.bytes());
        const bool in_header = !base::is_ascii(mail::header_of(leased.content.bytes()));
        const Parcel parcel{leased.envelope, "", leased.content, 0, eight_bit, in_header};
        const auto refusal = cannot_carry(parcel, extensions);
        return refusal ? refusal->status.to_text() : "can";
    };
    const Extensions none;
    Extensions all{true, true, true, true, 100, true};
    CHECK(verdict(message("Subject: x\r\n"), none) == "can");
    CHECK(verdict(message("Subject: x\r\n\r\n\xC3\xA4\r\n"), none) == "5.6.3");
    CHECK(verdict(message("Subject: x\r\n\r\n\xC3\xA4\r\n"), all) == "can");
    CHECK(verdict(message(std::string(100, 'x')), all) == "can");
    CHECK(verdict(message(std::string(101, 'x')), all) == "5.3.4");
    auto leased = message("Subject: x\r\n");
    leased.envelope.smtputf8 = true;
    CHECK(verdict(leased, none) == "can");
    leased.content = mail::Content("Subject: \xC3\xA4\r\n");
    CHECK(verdict(leased, none) == "5.6.7");
    CHECK(cannot_carry(mailbox("\xC3\xA4@b.test"), none)->status.to_text() == "5.6.7");
    leased.envelope.requiretls = true;
    CHECK(verdict(leased, all) == "5.7.30");
}

// RFC 5321 4.1.1, RFC 3461 5.2.1, RFC 3461 5.2.2, RFC 1870 6, RFC 6152 2, RFC 6531 3.4,
// RFC 6533 3.
TEST_CASE("parameters are given where they were announced") {
    auto leased = message("Subject: x\r\n\r\n\xC3\xA4\r\n");
    leased.envelope.ret = mail::Ret::headers;
    leased.envelope.envid = "a+b";
    leased.envelope.smtputf8 = true;
    auto& recipient = leased.envelope.recipients[0];
    recipient.notify.success = recipient.notify.failure = true;
    recipient.orcpt = "rfc822;bob+x@b.test";
    const Parcel parcel{leased.envelope, "", leased.content};
    const Extensions all{true, true, true, true, 1000, true};
    CHECK(mail_command(parcel, all) ==
          "MAIL FROM:<alice@a.test> SIZE=18 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb\r\n");
    CHECK(rcpt_command(recipient, all) ==
          "RCPT TO:<bob@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob+2Bx@b.test\r\n");
    CHECK(mail_command(parcel, {}) == "MAIL FROM:<alice@a.test>\r\n");
    leased.envelope.requiretls = true;
    CHECK(mail_command(parcel, {}) == "MAIL FROM:<alice@a.test>\r\n");
    Extensions over_tls;
    over_tls.requiretls = true;
    CHECK(mail_command(parcel, over_tls) == "MAIL FROM:<alice@a.test> REQUIRETLS\r\n");
    CHECK(rcpt_command(recipient, {}) == "RCPT TO:<bob@b.test>\r\n");
    recipient.orcpt = "utf-8;\xC3\xA4 x@b.test";
    CHECK(rcpt_command(recipient, all).find("ORCPT=utf-8;\\x{E4}\\x{20}x@b.test") !=
          std::string::npos);
    recipient.orcpt = "utf-8;\\x{E4}x@b.test";
    CHECK(rcpt_command(recipient, all).find("ORCPT=utf-8;\\x{E4}x@b.test") != std::string::npos);
}

TEST_CASE("a DSN parameter that no server takes is left out, and the mail goes on") {
    auto leased = message("Subject: x\r\n\r\n");
    leased.envelope.envid = "\xC3\xA4";
    auto& recipient = leased.envelope.recipients[0];
    recipient.notify.success = true;
    const Extensions all{true, true, true, true, {}, true};
    const Parcel parcel{leased.envelope, "", leased.content, 0, false};
    CHECK(mail_command(parcel, all) == "MAIL FROM:<alice@a.test> SIZE=14\r\n");
    for (const char* stored : {"rfc822;j\xC3\xB6rg@b.test", "utf-8;\xC2\x9B@b.test"}) {
        recipient.orcpt = stored;
        CHECK(rcpt_command(recipient, all) == "RCPT TO:<bob@b.test> NOTIFY=SUCCESS\r\n");
    }
}
