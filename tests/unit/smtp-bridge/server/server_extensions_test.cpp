// The server's extensions, over a real socket: C is the test, S the server.
#include "base/limits.hpp"
#include "smtp-bridge/server/server.hpp"
#include "support/smtp-bridge/certificate.hpp"
#include "support/smtp-bridge/fixture.hpp"

#include <fstream>

using fixture::RunningServer;
using smtp_bridge::ListenerSettings;
using smtp_bridge::Network;
using smtp_bridge::Protocol;

namespace {

const std::string kHello = R"(
    S: 220 mx.a.test ESMTP
    C: EHLO client
    S: 250-mx.a.test
    S: 250-PIPELINING
    S: 250-SIZE 1000
    S: 250-8BITMIME
    S: 250-SMTPUTF8
    S: 250-DSN
    S: 250-CHUNKING
    S: 250-MT-PRIORITY
    S: 250-LIMITS RCPTMAX=1000
    S: 250 ENHANCEDSTATUSCODES
)";
const std::string kEnvelope = R"(
    C: MAIL FROM:<alice@a.test>
    C: RCPT TO:<bob@b.test>
    C: RCPT TO:<carol@b.test>
    S: 250 2.1.0
    S: 250 2.1.5
    S: 250 2.1.5
)";

/// The same with STARTTLS, in the clear.
std::string hello_before_tls() {
    std::string hello = kHello;
    const std::string limits = "S: 250-LIMITS RCPTMAX=1000\n";
    hello.insert(hello.find(limits) + limits.size(), "S: 250-STARTTLS\n");
    return hello;
}

void trust_unix_clients_never(ListenerSettings& settings) {
    settings.trusted = {*Network::parse("0.0.0.0/0")};  // a Unix socket has no address
}

}  // namespace

// RFC 3030 2.
TEST_CASE("BDAT: a message in chunks is what was in them, dots and all") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(kHello + kEnvelope + R"(
        C: BDAT 15
        C: Subject: hi..
        C: BDAT 7 LAST
        C: .
        C: ..
        S: 250 2.0.0 15 octets received
        S: 250 2.0.0 Ok: queued as
        C: QUIT
        S: 221
        S: <end>)") == "");
    REQUIRE(server.intake.taken.size() == 1);
    CHECK(server.intake.taken[0].content.bytes() == "Subject: hi..\r\n.\r\n..\r\n");
}

// RFC 2033 4.3.
TEST_CASE(
    "BDAT over LMTP: the last chunk is answered for each recipient, an empty one may be last") {
    RunningServer server(Protocol::lmtp);
    std::string hello = kHello;
    hello.replace(hello.find("ESMTP"), 5, "LMTP ");
    hello.replace(hello.find("EHLO"), 4, "LHLO");
    CHECK(server.play(hello + kEnvelope + R"(
        C: BDAT 12
        C: Subject: x
        S: 250 2.0.0 12
        C: BDAT 0 LAST
        S: 250 2.0.0 Ok: queued
        S: 250 2.0.0 Ok: queued
        C: NOOP
        S: 250 2.0.0 Ok)") == "");
}

// RFC 3030 2.
TEST_CASE("the octets of a refused chunk are no commands") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(kHello + R"(
        C: BDAT 6
        C: QUIT
        S: 503 5.5.1 MAIL comes first
        C: RSET
        S: 250)" + kEnvelope +
                      R"(
        C: BDAT 6
        C: abcd
        S: 250 2.0.0 6 octets
        C: RCPT TO:<late@b.test>
        S: 503 5.5.1 The message has begun
        C: DATA
        S: 503 5.5.1 DATA and BDAT
        C: RSET
        S: 250 2.0.0)" +
                      kEnvelope +
                      R"(
        C: DATA
        S: 354)") == "");
    CHECK(server.intake.taken.empty());
}

// RFC 3030 2.
TEST_CASE("what breaks the rules of lines is refused in chunks, too, by name") {
    struct Case {
        std::string bytes;
        std::string reply;
    };
    const Case cases[] = {{"a\nb\r\n", "554 5.5.2 Bare LF"},
                          {"a\rb\r\n", "554 5.5.2 Bare CR"},
                          {"no end", "554 5.6.0 The last line"},
                          {"cr at the end\r", "554 5.5.2 Bare CR"},
                          {std::string(1001, 'x'), "552 5.3.4 Message too large"}};
    for (const auto& each : cases) {
        RunningServer server(Protocol::smtp);
        auto line = server.connect();
        CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
        line.send("BDAT " + std::to_string(each.bytes.size()) + " LAST\r\n" + each.bytes);
        const auto answer = line.read();
        REQUIRE(answer);
        CHECK(answer->starts_with(each.reply));
        line.send("NOOP\r\n");
        CHECK(line.read().value_or("").starts_with("250"));
        CHECK(server.intake.taken.empty());
    }
}

// RFC 3030 2.
TEST_CASE("a fault in an early chunk is said at once, and again for the rest") {
    RunningServer server(Protocol::smtp);
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    line.send("BDAT 4\r\na\nb\nBDAT 3\r\nx\r\nBDAT 2 LAST\r\n\r\n");
    for (int i = 0; i < 3; ++i)
        CHECK(line.read().value_or("").starts_with("554 5.5.2 Bare LF"));
    line.send("MAIL FROM:<alice@a.test>\r\n");
    CHECK(line.read().value_or("").starts_with("250 2.1.0"));
}

TEST_CASE("a chunk far beyond what is allowed ends the session unread") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(kHello + kEnvelope + R"(
        C: BDAT 99999999999999 LAST
        S: 552 5.3.4 Message too large
        S: <end>)") == "");
}

// RFC 6710 3, RFC 6710 4.1, RFC 6710 7.
TEST_CASE("MT-PRIORITY's own grammar") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(kHello + R"(
        C: MAIL FROM:<alice@a.test> MT-PRIORITY=10
        S: 501 5.5.4
        C: MAIL FROM:<alice@a.test> MT-PRIORITY=-0
        S: 501 5.5.4
        C: MAIL FROM:<alice@a.test> MT-PRIORITY=-9
        S: 250 2.1.0
        C: RCPT TO:<bob@b.test>
        S: 250
        C: DATA
        S: 354
        C: x
        C: .
        S: 250)") == "");
    REQUIRE(server.intake.taken.size() == 1);
    CHECK(server.intake.taken[0].priority == -9);
}

// RFC 8689 2, RFC 5321 4.1.1.11.
TEST_CASE("STARTTLS and REQUIRETLS are for those who can have them") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(kHello + R"(
        C: STARTTLS
        S: 502 5.5.1
        C: MAIL FROM:<alice@a.test> REQUIRETLS
        S: 555 5.5.4)") == "");
}

// RFC 3207 2, RFC 3207 4, RFC 3207 4.2, RFC 8689 2.
TEST_CASE("over TLS the session starts anew, and STARTTLS is no longer offered") {
    const fixture::Certificate certificate("DNS:mx.a.test");
    RunningServer server(Protocol::smtp, [&](ListenerSettings& settings) {
        settings.tls = certificate.server();
        settings.requiretls = true;
    });
    const auto trusted = certificate.client();
    auto line = server.connect();
    const std::string over_tls = R"(
        C: STARTTLS
        S: 220 2.0.0
        C: <tls>
        C: MAIL FROM:<alice@a.test>
        S: 503 5.5.1 Say hello first
        C: EHLO client
        S: 250-mx.a.test
        S: 250-PIPELINING
        S: 250-SIZE 1000
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-DSN
        S: 250-CHUNKING
        S: 250-MT-PRIORITY
        S: 250-LIMITS RCPTMAX=1000
        S: 250-REQUIRETLS
        S: 250 ENHANCEDSTATUSCODES
        C: STARTTLS
        S: 503 5.5.1 TLS is active already
        C: MAIL FROM:<alice@a.test> REQUIRETLS
        S: 250 2.1.0
        C: QUIT
        S: 221
        S: <end>)";
    CHECK(dialogue::play(line, hello_before_tls() + over_tls, 'C', trusted->native_handle()) == "");
}

// RFC 3207 4.2.
TEST_CASE("what came in the clear behind STARTTLS is not taken for the encrypted client's") {
    const fixture::Certificate certificate("DNS:mx.a.test");
    RunningServer server(Protocol::smtp,
                         [&](ListenerSettings& settings) { settings.tls = certificate.server(); });
    CHECK(server.play(hello_before_tls() + R"(
        C: STARTTLS
        C: MAIL FROM:<mallory@a.test>
        S: 501 5.5.1 mx.a.test Nothing may follow STARTTLS
        S: <end>)") == "");
}

TEST_CASE("who never reads what he is answered is not answered for ever") {
    RunningServer server(Protocol::smtp, [](ListenerSettings& settings) {
        settings.command_time = std::chrono::milliseconds(500);
    });
    auto line = server.connect();
    CHECK(line.read().value_or("").starts_with("220"));
    // So many answers that no socket holds them.
    std::string commands;
    for (int i = 0; i < 3000; ++i)
        commands += "EHLO x\r\n";
    line.send(commands + "MAIL FROM:<alice@a.test>\r\nRCPT TO:<bob@b.test>\r\n" +
              "BDAT 3 LAST\r\nx\r\n");
    CHECK(line.is_left_alone());
    CHECK(server.intake.taken.empty());
}

TEST_CASE("XFORWARD and XCLIENT are not for everybody") {
    RunningServer server(Protocol::smtp, trust_unix_clients_never);
    CHECK(server.play(kHello + R"(
        C: XFORWARD ADDR=192.0.2.1
        S: 550 5.7.0
        C: XCLIENT ADDR=192.0.2.1
        S: 550 5.7.0
        C: XCLIENT NONSENSE=1
        S: 501 5.5.4)") == "");
}

TEST_CASE("whom XCLIENT names has that client's rate and rights, and not its proxy's") {
    const int port = fixture::free_port();
    RunningServer server(Protocol::smtp, [&](ListenerSettings& settings) {
        settings.endpoint = *smtp_bridge::Endpoint::parse("127.0.0.1:" + std::to_string(port));
        settings.networks = {*Network::parse("127.0.0.0/8"), *Network::parse("192.0.2.0/24")};
        settings.trusted = {*Network::parse("127.0.0.0/8")};
    });
    const auto client = [&](const std::string& attributes) {
        auto line = dialogue::connect_to_port(port);
        line.read();
        line.send("XCLIENT " + attributes + "\r\nHELO client\r\n");
        CHECK(line.read().value_or("").starts_with("220"));
        CHECK(line.read().value_or("").starts_with("250"));
        return line;
    };
    // So many mails a minute that no machine sends fewer.
    const auto is_stopped = [](dialogue::Line& line) {
        std::string mails;
        for (std::size_t i = 0; i < 100; ++i)
            mails += "MAIL FROM:<a@a.test>\r\nRSET\r\n";
        for (std::size_t sent = 0; sent < 2 * base::limits::kClientRate; sent += 100) {
            line.send(mails);
            bool stopped = false;
            for (std::size_t i = 0; i < 200; ++i)
                stopped = line.read().value_or("").starts_with("450 4.7.0 Too much") || stopped;
            if (stopped) return true;
        }
        return false;
    };
    auto first = client("ADDR=192.0.2.9 NAME=client.example");
    CHECK(is_stopped(first));
    first.send("XCLIENT ADDR=127.0.0.1\r\n");
    CHECK(first.read().value_or("").starts_with("550 5.7.0"));
    auto second = client("ADDR=192.0.2.10");
    second.send("MAIL FROM:<a@a.test>\r\n");
    CHECK(second.read().value_or("").starts_with("250"));
    // One whose address is not known has no proxy's rights.
    auto third = dialogue::connect_to_port(port);
    CHECK(dialogue::play(third, "S: 220\nC: XCLIENT ADDR=[UNAVAILABLE]\nS: 554 5.7.1\nS: <end>",
                         'C') == "");
    auto here = client("ADDR=127.0.0.2");
    CHECK_FALSE(is_stopped(here));
}

TEST_CASE("one client gets its share of connections, and of mails a minute") {
    RunningServer server(Protocol::smtp, [](ListenerSettings& settings) {
        settings.client_connections = 2;
        settings.client_rate = 2;
    });
    auto first = server.connect();
    CHECK(dialogue::play(first, kHello, 'C') == "");
    {
        auto second = server.connect();
        CHECK(dialogue::play(second, kHello, 'C') == "");
        CHECK(dialogue::play(first, "C: NOOP\nS: 250", 'C') == "");
        CHECK(server.play("S: 220") == "");
        CHECK(dialogue::play(second, "S: 421 4.7.0 mx.a.test Too many connections\nS: <end>",
                             'C') == "");
    }
    CHECK(dialogue::play(first, R"(
        C: MAIL FROM:<alice@a.test>
        S: 250
        C: RSET
        S: 250
        C: MAIL FROM:<alice@a.test>
        S: 250
        C: RSET
        S: 250
        C: MAIL FROM:<alice@a.test>
        S: 450 4.7.0 Too much mail from unix
        C: RCPT TO:<bob@b.test>
        S: 503)",
                         'C') == "");
}
