#include "smtp-bridge/server/command.hpp"

using namespace smtp_bridge;

namespace {

template <class T>
T parsed(std::string_view line) {
    INFO(line);
    const auto result = parse_command(line);
    REQUIRE(std::holds_alternative<Command>(result));
    const auto& command = std::get<Command>(result);
    REQUIRE(std::holds_alternative<T>(command));
    return std::get<T>(command);
}

/// `501 5.5.4`
std::string refusal(std::string_view line) {
    const auto result = parse_command(line);
    const auto* reply = std::get_if<mail::Reply>(&result);
    return reply == nullptr ? "taken" : std::to_string(reply->code) + " " + reply->status.to_text();
}

}  // namespace

// RFC 5321 4.1.1.2, RFC 5321 4.5.5, RFC 1870 6, RFC 6152 2, RFC 6531 3.4, RFC 3461 4.3,
// RFC 3461 4.4.
TEST_CASE("MAIL with all its parameters, in any case and order") {
    const auto mail = parsed<MailFrom>(
        "mail from:<alice@a.test> size=1234 Body=8bitmime SMTPUTF8 ret=hdrs ENVID=QQ+2B1 ");
    CHECK(mail.from->text() == "alice@a.test");
    CHECK(mail.size == 1234);
    CHECK(mail.body == mail::Body::eight_bit_mime);
    CHECK(mail.smtputf8);
    CHECK(mail.ret == mail::Ret::headers);
    CHECK(mail.envid == "QQ+1");
    CHECK_FALSE(parsed<MailFrom>("MAIL FROM:<>").from);
    CHECK(parsed<MailFrom>("MAIL FROM:<\"a> b\\\"\"@a.test> BODY=7BIT").from->text() ==
          "\"a> b\\\"\"@a.test");
}

// RFC 5321 4.1.1.3, RFC 5321 4.5.1, RFC 3461 4.1, RFC 3461 4.2.
TEST_CASE("RCPT with its parameters, and the bare postmaster") {
    const auto rcpt =
        parsed<RcptTo>("RCPT TO:<bob@b.test> NOTIFY=SUCCESS,failure ORCPT=rfc822;bob+2Bx@b.test");
    CHECK(rcpt.address->text() == "bob@b.test");
    CHECK(rcpt.notify.success);
    CHECK(rcpt.notify.failure);
    CHECK_FALSE(rcpt.notify.delay);
    CHECK(rcpt.orcpt == "rfc822;bob+x@b.test");
    CHECK_FALSE(parsed<RcptTo>("RCPT TO:<PostMaster>").address);
}

// RFC 5321 4.1.1.3.
TEST_CASE("a source route is ignored") {
    CHECK(parsed<MailFrom>("MAIL FROM:<@x.test:a@a.test>").from->text() == "a@a.test");
    CHECK(parsed<MailFrom>("MAIL FROM:<@x.test,@[IPv6:2001:db8::1]:\"@:\"@a.test> SIZE=1")
              .from->text() == "\"@:\"@a.test");
    CHECK(parsed<RcptTo>("RCPT TO:<@x.test,@y_1.test:bob@b.test>").address->text() == "bob@b.test");
}

TEST_CASE("addresses that mail servers pass on are taken, and known for what they are") {
    const auto from = parsed<MailFrom>("MAIL FROM:<\"a\x01\tb\"@web_01.c.test> SIZE=1").from;
    CHECK(from->text() == "\"a\x01\tb\"@web_01.c.test");
    CHECK_FALSE(from->keeps_grammar());
    const auto to = parsed<RcptTo>("RCPT TO:<x@b.test.> ORCPT=rfc822;x@b.test.");
    CHECK_FALSE(to.address->keeps_grammar());
    CHECK(to.orcpt == "rfc822;x@b.test.");
    CHECK(parsed<RcptTo>("RCPT TO:<\xC2\x85@b.test>").address->needs_smtputf8());
    CHECK(parsed<RcptTo>("RCPT TO:<x@b.test> ORCPT=rfc822;\"a+01b\"@b.test").orcpt.empty());
}

// RFC 5321 4.1.1.1, RFC 5321 4.1.1.4, RFC 5321 4.1.1.5, RFC 5321 4.1.1.6, RFC 5321 4.1.1.8,
// RFC 5321 4.1.1.9, RFC 5321 4.1.1.10.
TEST_CASE("the other commands") {
    CHECK(parsed<Hello>("EHLO mx.b.test").name == "mx.b.test");
    CHECK(parsed<Hello>("helo [192.0.2.1]").verb == Hello::Verb::helo);
    CHECK(parsed<Hello>("LHLO x").verb == Hello::Verb::lhlo);
    parsed<Data>("data");
    parsed<Reset>("RSET ");
    parsed<Noop>("NOOP whatever");
    parsed<Quit>("QUIT");
    parsed<Verify>("VRFY bob");
    parsed<Help>("HELP");
}

// RFC 5321 4.1.1, RFC 5321 4.1.1.11, RFC 5321 4.1.2, RFC 5321 4.2.4, RFC 6531 3.4, RFC 3461 4.1,
// RFC 3461 4.5, RFC 3461 5.1, RFC 6533 3.
TEST_CASE("what breaks the grammar is answered with its own code") {
    const std::vector<std::pair<std::string, std::string>> table = {
        {"MAIL FROM:<a@a.test> SIZE=1 SIZE=2", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> SIZE=x", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> SIZE", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> SIZE=-1", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> BODY=BINARYMIME", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> SMTPUTF8=1", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> RET=ALL", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> ENVID=+ZZ", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> ENVID=a+C3+A4b", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> SMTPUTF8 ENVID=\xC3\xA4", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> ENVID=" + std::string(101, 'x'), "501 5.5.4"},
        {"MAIL FROM:<a@a.test> FROB=1", "555 5.5.4"},
        {"MAIL FROM:<a@a.test> =1", "501 5.5.4"},
        {"MAIL FROM:<a@a.test>SIZE=1", "501 5.1.7"},
        {"MAIL FROM: <a@a.test>", "501 5.1.7"},
        {"MAIL FROM:a@a.test", "501 5.1.7"},
        {"MAIL FROM:<a@a.test", "501 5.1.7"},
        {"MAIL FROM:<a>", "501 5.1.7"},
        {"MAIL FROM:<\xC3\xA4@a.test>", "553 5.6.7"},
        {"MAIL a@a.test", "501 5.5.4"},
        {"RCPT TO:<>", "501 5.1.3"},
        {"RCPT TO:<bob>", "501 5.1.3"},
        {"RCPT TO:<bob@b.test> NOTIFY=NEVER,SUCCESS", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> NOTIFY=", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=bob@b.test", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=rfc822;", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=rfc822;j+C3rg@b.test", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=utf-8;j\xC2\x9B@b.test", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=utf-8;\\x{110000}@b.test", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=utf-8;\\x{D800}@b.test", "501 5.5.4"},
        {"RCPT TO:<bob@b.test> ORCPT=utf-8;j+C3+B6rg@b.test", "501 5.5.4"},
        {"MAIL FROM:<a\x1B@a.test>", "501 5.1.7"},
        {"MAIL FROM:<a@a.test> ENVID=\x1B", "501 5.5.4"},
        {"MAIL FROM:<a@a.test> \xC2\x9B", "501 5.5.4"},
        {"MAIL FROM:<\xFF@a.test>", "500 5.5.2"},
        {std::string("MAIL FROM:<\"\0\"@a.test>", 22), "501 5.1.7"},
        {"MAIL FROM:<@x.test>", "501 5.1.7"},
        {"MAIL FROM:<@x.test,a@a.test>", "501 5.1.7"},
        {"MAIL FROM:<@x.test:>", "501 5.1.7"},
        {"MAIL FROM:<@:a@a.test>", "501 5.1.7"},
        {"MAIL FROM:<x.test:a@a.test>", "501 5.1.7"},
        {"RCPT TO:<bob@b.test> SIZE=1", "555 5.5.4"},
        {"EHLO", "501 5.5.4"},
        {"EHLO two words", "501 5.5.4"},
        {"DATA now", "501 5.5.4"},
        {"QUIT now", "501 5.5.4"},
        {"VRFY", "501 5.5.4"},
        {"EXPN list", "502 5.5.1"},
        {"STARTTLS now", "501 5.5.4"},
        {"AUTH PLAIN", "502 5.5.1"},
        {"GET / HTTP/1.1", "500 5.5.2"},
        {"", "500 5.5.2"},
        {"RSET\r", "500 5.5.2"},
        {std::string("RSET\0", 5), "500 5.5.2"},
        {"NOOP \xFF", "500 5.5.2"},
        {"FOO\xC2\x9B"
         "31mBAR",
         "500 5.5.2"},
        {"EHLO x\xC2\x9B"
         "31m",
         "500 5.5.2"},
        {"NOOP \xC2\x85", "500 5.5.2"},
        {"EHLO x\xE2\x80\xAEtset", "501 5.5.4"},
        {"EHLO " + std::string(256, 'x'), "501 5.5.4"},
    };
    for (const auto& [line, expected] : table) {
        INFO(line);
        CHECK(refusal(line) == expected);
    }
}
