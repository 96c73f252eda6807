// The client with scripted servers: S is the script, C the real client.
#include "smtp-bridge/client/client.hpp"

#include "support/contents.hpp"
#include "support/smtp-bridge/hop.hpp"

using namespace smtp_bridge;
using dialogue::Folder;
using dialogue::ScriptedServer;
using fixture::Hop;
using fixture::kHello;
using fixture::Link;
using fixture::mailbox;
using fixture::message;
using fixture::Outcomes;

namespace {

const std::string kLhlo = R"(
    S: 220 mx.b.test LMTP
    C: LHLO mail.b.test
    S: 250-mx.b.test
    S: 250 PIPELINING
)";
const std::string kMail = R"(
    C: MAIL FROM:<alice@a.test>
    C: RCPT TO:<bob@b.test>
    C: RCPT TO:<carol@b.test>
    C: DATA
    S: 250 2.1.0 ok
)";
const std::string kBoth =
    kMail + "S: 250 2.1.5 ok\nS: 250 2.1.5 ok\nS: 354 go\nC: Subject: x\nC: .\n";

}  // namespace

// RFC 5321 3.3, RFC 2920 3.1, RFC 1870 6.
TEST_CASE("SMTP: one answer is for all recipients that were accepted") {
    Hop hop("smtp", {kHello + R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: RCPT TO:<carol@b.test>
        C: DATA
        S: 250 ok
        S: 250 2.1.5 ok
        S: 550-5.1.1 no
        S: 550 5.1.1 such user
        S: 354 go
        C: Subject: x
        C: .
        S: 250 2.0.0 taken
        C: QUIT
        S: 221 bye)"});
    CHECK(hop.deliver(message()) == Outcomes{"delivered 250 2.0.0", "failed 550 5.1.1"});
    CHECK(hop.trouble() == "");
}

// RFC 2033 4.2.
TEST_CASE("LMTP: each recipient has an answer of its own behind the dot") {
    Hop hop("lmtp", {kLhlo + kBoth + "S: 250 2.0.0 ok\nS: 452 4.2.2 full\n"});
    CHECK(hop.deliver(message()) == Outcomes{"delivered 250 2.0.0", "deferred 452 4.2.2"});
    CHECK(hop.trouble() == "");
}

// RFC 5321 2.2.1, RFC 5321 4.5.2.
TEST_CASE("without PIPELINING and EHLO it is one command at a time") {
    Hop hop("smtp", {R"(
        S: 220 old
        C: EHLO mail.b.test
        S: 502 what
        C: HELO mail.b.test
        S: 250 old
        C: MAIL FROM:<alice@a.test>
        C: <nothing>
        S: 250 ok
        C: RCPT TO:<bob@b.test>
        C: <nothing>
        S: 451 4.7.1 greylisted
        C: RCPT TO:<carol@b.test>
        S: 250 ok
        C: DATA
        S: 354 go
        C: Subject: x
        C:
        C: ..dot
        C: .
        S: 250 ok
        C: QUIT
        S: 221 bye)"});
    CHECK(hop.deliver(message("Subject: x\r\n\r\n.dot\r\n")) ==
          Outcomes{"deferred 451 4.7.1", "delivered 250 2.0.0"});
    CHECK(hop.trouble() == "");
}

// RFC 5321 3.3, RFC 5321 4.1.1.5, RFC 5321 4.1.1.10.
TEST_CASE("all refused, in the different places, and the connection is used again") {
    Hop hop("smtp", {kHello + R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: RCPT TO:<carol@b.test>
        C: DATA
        S: 550 5.7.1 not you
        S: 503 5.5.1 no
        S: 503 5.5.1 no
        S: 503 5.5.1 no
        C: RSET
        S: 250 ok
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 451 4.3.0 later
        C: RSET
        S: 250 ok
        C: QUIT
        S: 221 bye)"});
    CHECK(hop.deliver(message()) == Outcomes{"failed 550 5.7.1", "failed 550 5.7.1"});
    CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) == Outcomes{"deferred 451 4.3.0"});
    CHECK(hop.trouble() == "");
}

// RFC 5321 3.8.
TEST_CASE("a kept connection that has died is replaced, and the mail doesn't notice") {
    const std::string mail = R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Subject: x
        C: .
        S: 250 2.0.0 ok
    )";
    SECTION("it was closed while it was idle") {
        Hop hop("smtp", {kHello + mail + "S: 421 4.4.2 idle\nS: <end>", kHello + mail + mail});
        CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) ==
              Outcomes{"delivered 250 2.0.0"});
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) ==
              Outcomes{"delivered 250 2.0.0"});
        CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) ==
              Outcomes{"delivered 250 2.0.0"});
        CHECK(hop.trouble() == "");
    }
    SECTION("it is closed at the first command") {
        Hop hop("smtp", {kHello + mail + "C: MAIL\nC: RCPT\nC: DATA\nS: 421 4.3.2 bye\nS: <end>",
                         kHello + mail});
        CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) ==
              Outcomes{"delivered 250 2.0.0"});
        CHECK(hop.deliver(message("Subject: x\r\n", {"bob@b.test"})) ==
              Outcomes{"delivered 250 2.0.0"});
        CHECK(hop.trouble() == "");
    }
}

// RFC 2033 5, RFC 5321 4.5.3.2.6.
TEST_CASE("a link that breaks defers whoever has no answer") {
    SECTION("behind the dot, where the server may have it or not") {
        Hop hop("lmtp", {kLhlo + kBoth + "S: 250 2.0.0 ok\nS: <end>"});
        CHECK(hop.deliver(message()) == Outcomes{"delivered 250 2.0.0", "deferred 451 4.4.2"});
    }
    SECTION("in the envelope") {
        Hop hop("lmtp", {kLhlo + kMail + "S: <end>"});
        CHECK(hop.deliver(message()) == Outcomes{"deferred 451 4.4.2", "deferred 451 4.4.2"});
    }
    SECTION("at the greeting") {
        Hop hop("lmtp", {"S: <end>"});
        CHECK(hop.deliver(message()) == Outcomes{"deferred 451 4.4.2", "deferred 451 4.4.2"});
    }
    SECTION("by a server that wants nothing of us") {
        Hop hop("lmtp", {"S: 554 5.7.1 go away"});
        CHECK(hop.deliver(message()) == Outcomes{"deferred 451 4.4.1", "deferred 451 4.4.1"});
    }
    SECTION("by silence") {
        ClientTimes times;
        times.data_done = std::chrono::milliseconds(100);
        Hop hop("lmtp", {kLhlo + kBoth + "C: <more>"}, times);
        CHECK(hop.deliver(message()) == Outcomes{"deferred 451 4.4.2", "deferred 451 4.4.2"});
    }
    SECTION("with what is no SMTP") {
        Hop hop("lmtp", {"S: hello?"});
        CHECK(hop.deliver(message()) == Outcomes{"deferred 451 4.4.2", "deferred 451 4.4.2"});
    }
}

// RFC 1047.
TEST_CASE("only a link that breaks behind the dot leaves it open whether the mail was taken") {
    const auto sent = [](const std::string& script) {
        Link link("lmtp", kLhlo + script + "S: <end>");
        CHECK(link.open() == "");
        return link.send(message());
    };
    CHECK(sent(kBoth).maybe_taken);
    CHECK(sent(kBoth + "S: 250 2.0.0 ok\n").maybe_taken);
    CHECK_FALSE(sent(kBoth + "S: 250 2.0.0 ok\nS: 250 2.0.0 ok\n").maybe_taken);
    CHECK_FALSE(sent(kMail).maybe_taken);
}

// RFC 5321 3.3.
TEST_CASE("an answer that is none to what was said is no verdict") {
    const std::string mail = R"(
        C: MAIL FROM:<alice@a.test> SIZE=12
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
    )";
    const auto leased = message("Subject: x\r\n", {"bob@b.test"});
    SECTION("success to DATA, of which nothing was sent yet") {
        Hop hop("smtp", {kHello + mail + "S: 250 ok\nC: RSET\nS: 250 ok\nC: QUIT\nS: 221 bye"});
        CHECK(hop.deliver(leased) == Outcomes{"deferred 451 4.5.0"});
        CHECK(hop.trouble() == "");
    }
    SECTION("more data wanted, behind all of it") {
        Hop hop("smtp", {kHello + mail + "S: 354 go\nC: Subject: x\nC: .\nS: 354 go on\n" +
                         "C: QUIT\nS: 221 bye"});
        CHECK(hop.deliver(leased) == Outcomes{"deferred 451 4.5.0"});
        CHECK(hop.trouble() == "");
    }
    SECTION("data wanted for nobody: no command could follow") {
        Hop hop("smtp", {kHello + R"(
            C: MAIL FROM:<alice@a.test> SIZE=12
            C: RCPT TO:<bob@b.test>
            C: DATA
            S: 250 ok
            S: 550 5.1.1 no
            S: 354 go
            C: <end>)"});
        CHECK(hop.deliver(leased) == Outcomes{"failed 550 5.1.1"});
        CHECK(hop.trouble() == "");
    }
}

// RFC 3461 5.2.1, RFC 3461 5.2.2, RFC 3461 5.2.3.
TEST_CASE("who says how a delivery went: the next hop if it knows DSN, or we") {
    const auto handover = [](const std::string& protocol, const std::string& hello) {
        Link link(protocol, hello + R"(
            C: MAIL
            C: RCPT
            C: DATA
            S: 250 ok
            S: 250 ok
            S: 354 go
            C: Subject: x
            C: .
            S: 250 ok
            C: QUIT
            S: 221 bye)");
        CHECK(link.open() == "");
        const auto result = link.send(message("Subject: x\r\n", {"bob@b.test"}));
        CHECK(link.trouble() == "");
        return std::get<queue::Delivered>(result.outcomes.front()).handover;
    };
    std::string smtp = kLhlo;
    smtp.replace(smtp.find("LHLO"), 4, "EHLO");
    CHECK(handover("smtp", kHello) == queue::Handover::passed_on);
    CHECK(handover("smtp", smtp) == queue::Handover::relayed);
    CHECK(handover("lmtp", kLhlo) == queue::Handover::delivered);
}

TEST_CASE("nobody is there: deferred, and known for a moment") {
    Hop hop("lmtp", {"S: 421 4.3.2 closing"});
    CHECK(hop.deliver(message()) == Outcomes{"deferred 421 4.3.2", "deferred 421 4.3.2"});
    fixture::run(hop.io, [&]() -> base::Task<void> {
        const queue::Destination local{queue::Lane::local, "", ""};
        const auto ready = co_await hop.courier.prepare(local, queue::Urgency::fresh);
        CHECK(std::holds_alternative<queue::Deferred>(ready));
        const queue::Destination relay{queue::Lane::relay, "", ""};
        const auto no_relay = co_await hop.courier.prepare(relay, queue::Urgency::fresh);
        REQUIRE(std::holds_alternative<queue::Deferred>(no_relay));
        CHECK(std::get<queue::Deferred>(no_relay).reply.status.to_text() == "4.3.5");
    });
}

// RFC 5321 3.7.2, RFC 5321 4.4, RFC 8601 4.1, RFC 8601 5.
TEST_CASE("mail that came over XMPP gets its trace fields, and loses forged ones") {
    Hop hop("lmtp", {kLhlo + R"(
        C: MAIL FROM:<alice@a.test>
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Authentication-Results: mail.b.test; x-xmpp-s2s=pass
    )"});
    auto leased = message("Authentication-Results: mail.b.test; forged\r\nSubject: x\r\n\r\nhi\r\n",
                          {"bob@b.test"});
    leased.origin.kind = queue::Origin::Kind::xmpp;
    leased.origin.client = "mail.a.test";
    leased.origin.component = "mail.b.test";
    leased.origin.transfer = queue::TransferKey{fixture::domain("a.test"), "T1"};
    hop.deliver(std::move(leased));
    CHECK(hop.trouble() == "");
}

// RFC 9989 4.10.2.
TEST_CASE("whose domains a mail shows is asked only where they differ, on its sender's account") {
    /// To it, all domains are the same organisation's.
    struct Owners final : queue::OwnerLookup {
        base::Task<std::vector<mail::DomainOwner>> find(std::vector<mail::Domain> domains,
                                                        mail::Organisation cause) override {
            std::vector<mail::DomainOwner> owners;
            for (const auto& each : domains) {
                asked += each.ascii() + " for " + cause.name() + "; ";
                owners.push_back({each, fixture::domain("test"), fixture::domain("test")});
            }
            co_await base::sleep_for(std::chrono::milliseconds(1));
            co_return owners;
        }
        std::string asked;
    };
    const auto leased = [](const std::string& author) {
        auto mail = message("From: " + author + "\r\n\r\nhi\r\n", {"bob@b.test"});
        mail.origin.kind = queue::Origin::Kind::xmpp;
        mail.origin.client = "mail.a.test";
        mail.origin.component = "mail.b.test";
        mail.origin.transfer = queue::TransferKey{fixture::domain("a.test"), "T1"};
        return mail;
    };
    const std::string beginning = kLhlo + R"(
        C: MAIL FROM:<alice@a.test>
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Authentication-Results: mail.b.test; x-xmpp-s2s=pass
    )";
    Owners owners;
    SECTION("they differ") {
        Hop hop(
            "lmtp",
            {beginning + "C: \tpolicy.domain=a.test smtp.mailfrom=a.test header.from=evil.test\n"
                         "C: \tpolicy.dmarc-domain=test policy.mailfrom-aligned=strict\n"
                         "C: \tpolicy.from-aligned=relaxed\n"},
            {}, false, &owners);
        hop.deliver(leased("eve@evil.test"));
        CHECK(hop.trouble() == "");
        CHECK(owners.asked == "a.test for a.test; evil.test for a.test; ");
    }
    SECTION("they are the same") {
        Hop hop("lmtp",
                {beginning + "C: \tpolicy.domain=a.test smtp.mailfrom=a.test header.from=a.test\n"
                             "C: \tpolicy.mailfrom-aligned=strict policy.from-aligned=strict\n"},
                {}, false, &owners);
        hop.deliver(leased("alice@a.test"));
        CHECK(hop.trouble() == "");
        CHECK(owners.asked.empty());
    }
    SECTION("there are several authors") {
        Hop hop("lmtp",
                {beginning +
                 "C: \tpolicy.domain=a.test smtp.mailfrom=a.test policy.mailfrom-aligned=strict\n"
                 "C: \tpolicy.from-aligned=no\n"},
                {}, false, &owners);
        hop.deliver(leased("alice@a.test, eve@evil.test"));
        CHECK(hop.trouble() == "");
        CHECK(owners.asked.empty());
    }
}

TEST_CASE("mail that our own mail server gives us for itself says so, and keeps no forged result") {
    Hop hop("lmtp", {kLhlo + kMail + R"(
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Received: from mx.b.test ([127.0.0.1])
    )" + "C: \tid 00000000001;\nC: Subject: x\nC:\nC: hi\nC: .\nS: 250 ok\nS: 250 ok\n"});
    auto leased =
        message("Authentication-Results: mail.b.test; forged\r\nSubject: x\r\n\r\nhi\r\n");
    leased.origin.kind = queue::Origin::Kind::smtp;
    leased.origin.client = "127.0.0.1";
    leased.origin.helo = "mx.b.test";
    hop.deliver(std::move(leased));
    CHECK(hop.trouble() == "");
}

// RFC 5321 4.4.
TEST_CASE("mail that goes on by SMTP says that it went through us, and is as it was behind that") {
    using namespace std::string_literals;
    Hop hop("smtp",
            {kHello + "C: MAIL FROM:<\"\x01\"@web_01.c.test> SIZE=\n" + R"(
        C: RCPT TO:<x@host.123>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Received: from mx.b.test ([127.0.0.1]) by mail.b.test (Packetboat)
    )" + "C: \tid 00000000001;\n" +
             "C: no field, \0, and a forged\nC: Authentication-Results: mail.b.test\nC: .\n"s +
             "S: 250 ok\n"},
            {}, true);
    auto leased = message("no field, \0, and a forged\r\nAuthentication-Results: mail.b.test\r\n"s,
                          {"bob@b.test"});
    leased.envelope.from = mail::Mailbox::parse_loosely("\"\x01\"@web_01.c.test").value();
    leased.envelope.recipients[0].address = mail::Mailbox::parse_loosely("x@host.123").value();
    leased.origin.kind = queue::Origin::Kind::smtp;
    leased.origin.client = "127.0.0.1";
    leased.origin.helo = "mx.b.test";
    CHECK(hop.deliver(std::move(leased), queue::Lane::relay) == Outcomes{"delivered 250 2.0.0"});
    CHECK(hop.trouble() == "");
}

// RFC 5321 4.1.1.4.
TEST_CASE("a last line without an end gets one, so that the dot stands alone") {
    Hop hop("lmtp", {kLhlo + kMail + R"(
        S: 250 ok
        S: 250 ok
        S: 354 go
        C: Subject: x
        C:
        C: hi
        C: .
        S: 250 ok
        S: 250 ok
    )"});
    CHECK(hop.deliver(message("Subject: x\r\n\r\nhi")) == Outcomes(2, "delivered 250 2.0.0"));
    CHECK(hop.trouble() == "");
}

TEST_CASE("a large message leaves in pieces, whole, and as often as it has to") {
    std::string content = "Subject: x\r\n\r\n";
    std::string script = "C: Subject: x\nC:\n";
    for (std::size_t i = 0; content.size() < 500'000; ++i) {
        const std::string dot(i % 2, '.');
        const std::string line = dot + std::to_string(i) + std::string(i % 900, 'x');
        content += line + "\r\n";
        script += "C: " + dot + line + "\n";
    }
    auto leased = message();
    leased.content = support::slow(content);
    ClientTimes times;
    times.data_block = times.data_done = std::chrono::seconds(10);
    const std::string data =
        kMail + "S: 250 ok\nS: 250 ok\nS: 354 go\n" + script + "C: .\nS: 250 ok\nS: 250 ok\n";
    Hop hop("lmtp", {kLhlo + data + data}, times);
    CHECK(hop.deliver(leased) == Outcomes(2, "delivered 250 2.0.0"));
    CHECK(hop.deliver(leased) == Outcomes(2, "delivered 250 2.0.0"));
    CHECK(hop.trouble() == "");
}

TEST_CASE("a content that can't be read is broken off without a dot, and is no failure") {
    // In lines of 64 bytes, so that each range that is read ends with one: of the header, and then
    // of 256 KiB.
    const std::string header = "Subject: " + std::string(53, 'x') + "\r\n";
    std::string content = header + "\r\n" + std::string(60, 'y') + "\r\n";
    std::string first = "C: Subject\nC:\nC: y\n";
    while (content.size() < 600'000) {
        content += std::string(62, 'z') + "\r\n";
        if (content.size() - header.size() <= 256u << 10) first += "C: z\n";
    }
    const std::string takes_eight_bit = R"(
        S: 220 mx.b.test LMTP
        C: LHLO mail.b.test
        S: 250-mx.b.test
        S: 250-8BITMIME
        S: 250 PIPELINING
        C: MAIL FROM:<alice@a.test> BODY=8BITMIME
        C: RCPT TO:<bob@b.test>
        C: RCPT TO:<carol@b.test>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go
    )";
    const auto fault = GENERATE(base::Errc::storage, base::Errc::damaged);
    const Outcomes unreadable(
        2, fault == base::Errc::damaged ? "held 451 4.3.0" : "deferred 451 4.3.0");
    auto leased = message();
    const auto breaks_at = [&](int good) { leased.content = support::slow(content, good, fault); };
    leased.envelope.body = mail::Body::eight_bit_mime;
    SECTION("at its header: nobody is asked") {
        breaks_at(0);
        Hop hop("lmtp", {});
        CHECK(hop.deliver(leased) == unreadable);
        CHECK(hop.trouble() == "");
    }
    SECTION("where it is looked at: nothing is sent") {
        breaks_at(GENERATE(1, 2, 3));
        Hop hop("lmtp", {kLhlo + "C: QUIT\nS: 221 bye"});
        CHECK(hop.deliver(leased) == unreadable);
        CHECK(hop.trouble() == "");
    }
    SECTION("in the middle, and then goes over another link") {
        const int good = GENERATE(1, 2);
        breaks_at(good);
        std::string all = first;
        for (std::size_t at = header.size() + (256u << 10); at < content.size(); at += 64)
            all += "C: z\n";
        Hop hop("lmtp", {takes_eight_bit + (good == 2 ? first : "") + "C: <end>",
                         takes_eight_bit + all +
                             "C: .\nS: 250 2.0.0 ok\nS: 250 2.0.0 ok\nC: QUIT\nS: 221 bye"});
        CHECK(hop.deliver(leased) == unreadable);
        leased.content = support::slow(content);
        CHECK(hop.deliver(leased) == Outcomes(2, "delivered 250 2.0.0"));
        CHECK(hop.trouble() == "");
    }
}

TEST_CASE("of a large message only some is in memory at a time") {
    std::string content = "Subject: x\r\n\r\n";
    std::string script = "C: Subject: x\nC:\n";
    while (content.size() < 2'000'000) {
        content += std::string(998, 'x') + "\r\n";
        script += "C: x\n";
    }
    const auto source = std::make_shared<support::SlowContent>(content);
    auto leased = message();
    leased.content = queue::Content(source, content.size());
    Hop hop("lmtp", {kLhlo + kMail + "S: 250 ok\nS: 250 ok\nS: 354 go\n" + script +
                     "C: .\nS: 250 ok\nS: 250 ok\n"});
    CHECK(hop.deliver(leased) == Outcomes(2, "delivered 250 2.0.0"));
    CHECK(source->largest <= 256u << 10);
}

// RFC 6152 3.
TEST_CASE("an octet that a server can't carry is found wherever it stands") {
    auto leased = message();
    std::string content = "Subject: x\r\n\r\n";
    for (int i = 0; i < 3000; ++i)
        content += std::string(100, 'x') + "\r\n";
    leased.content = support::slow(content + "\xC3\xA4\r\n");
    Hop hop("lmtp", {kLhlo});
    CHECK(hop.deliver(leased) == Outcomes(2, "failed 554 5.6.3"));
    CHECK(hop.trouble() == "");
}

TEST_CASE("a thousand recipients don't block either end") {
    std::vector<std::string> names;
    auto leased = message("x\r\n", {});
    const auto count = 300;
    std::string script = "S: 220 x\nC: EHLO\nS: 250-x\nS: 250 PIPELINING\nC: MAIL\n";
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::string name = "r" + std::to_string(i) + "@b.test";
        leased.envelope.recipients.push_back({i, mailbox(name.c_str()), {}, ""});
    }
    // The groups grow with what was taken.
    int left = count;
    for (int group = 9; left > 0; group = std::min(2 * group, 50)) {
        const bool is_first = left == count;
        const int asked = std::min(left, is_first ? group - 1 : group);
        for (int i = 0; i < asked; ++i)
            script += "C: RCPT\n";
        left -= asked;
        if (left == 0) script += "C: DATA\n";
        for (int i = 0; i < asked + (is_first ? 1 : 0); ++i)
            script += "S: 250 ok\n";
    }
    Hop hop("smtp", {script + "S: 354 go\nC: x\nC: .\nS: 250 ok\n"});
    CHECK(hop.deliver(std::move(leased)) == Outcomes(count, "delivered 250 2.0.0"));
    CHECK(hop.trouble() == "");
}

TEST_CASE("a probe tells the greeting, or why there is none") {
    const Folder folder;
    const auto target = *Target::parse("smtp:unix:" + folder.socket());
    const ClientSettings settings{"mail.b.test", {}};
    asio::io_context io;
    fixture::run(io, [&]() -> base::Task<void> {
        const auto nobody = co_await probe(target, settings);
        REQUIRE_FALSE(nobody);
        CHECK(nobody.error().text.find(target.to_text()) != std::string::npos);
        ScriptedServer server(folder.socket(), {kHello});
        const auto greeting = co_await probe(target, settings);
        REQUIRE(greeting);
        CHECK(*greeting == "mx.b.test ready");
    });
}
