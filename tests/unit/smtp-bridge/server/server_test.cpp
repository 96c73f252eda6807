// Sessions with the real server over a real socket: C is the test, S the server.
#include "smtp-bridge/server/server.hpp"

#include "base/limits.hpp"
#include "support/smtp-bridge/fixture.hpp"

using fixture::RunningServer;
using smtp_bridge::ListenerSettings;
using smtp_bridge::Protocol;

namespace {

const std::string kHello = R"(
    S: 220 mx.a.test LMTP
    C: LHLO mx.a.test
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

const std::string kPipelined = R"(
    C: MAIL FROM:<alice@a.test> SIZE=20
    C: RCPT TO:<bob@b.test> NOTIFY=FAILURE
    C: RCPT TO:<carol@a.test>
    C: DATA
    S: 250 2.1.0
    S: 250 2.1.5
    S: 250 2.1.5
    S: 354
)";

}  // namespace

// RFC 2033 4.1, RFC 2033 4.2, RFC 2033 5, RFC 2920 3.2, RFC 5321 3.1, RFC 5321 4.1.1.1,
// RFC 5321 4.1.1.4, RFC 5321 4.1.1.10, RFC 2034 3, RFC 2034 4, RFC 6531 3.1.
TEST_CASE("LMTP: a pipelined mail is stored once and answered for each recipient") {
    RunningServer server(Protocol::lmtp);
    CHECK(server.play(kHello + kPipelined + R"(
        C: Subject: hi
        C: ..stuffed
        C: .
        S: 250 2.0.0 Ok: queued as 00000000001
        S: 250 2.0.0 Ok: queued as 00000000001
        C: QUIT
        S: 221 2.0.0
        S: <end>)") == "");
    REQUIRE(server.intake.taken.size() == 1);
    const auto& arrival = server.intake.taken.front();
    CHECK(arrival.content.bytes() == "Subject: hi\r\n.stuffed\r\n");
    CHECK(arrival.envelope.from->text() == "alice@a.test");
    REQUIRE(arrival.envelope.recipients.size() == 2);
    CHECK(arrival.envelope.recipients[0].notify.failure);
    CHECK(arrival.envelope.recipients[1].n == 1);
    CHECK(arrival.destinations ==
          std::vector<queue::Destination>{{queue::Lane::xmpp, "mail.a.test", "b.test"},
                                          {queue::Lane::local, "", ""}});
    CHECK(arrival.origin.client == "unix");
    CHECK(arrival.origin.helo == "mx.a.test");
}

// RFC 5321 2.2.1, RFC 5321 3.2, RFC 5321 4.1.1.9.
TEST_CASE("SMTP: one answer for all recipients; HELO will do") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play(R"(
        S: 220 mx.a.test ESMTP
        C: HELO client
        S: 250 mx.a.test)" +
                      kPipelined + R"(
        C: x
        C: .
        S: 250 2.0.0
        C: NOOP
        S: 250 2.0.0 Ok)") == "");
}

// RFC 6152 3.
TEST_CASE("8-bit content makes an 8BITMIME message, whatever was declared") {
    RunningServer server(Protocol::lmtp);
    CHECK(server.play(kHello + kPipelined + "\nC: \xC3\xA4\nC: .\nS: 250 2.0.0\nS: 250 2.0.0") ==
          "");
    CHECK(server.intake.taken.at(0).envelope.body == mail::Body::eight_bit_mime);
}

TEST_CASE("the queue's refusals reach the client, who keeps the mail") {
    RunningServer server(Protocol::lmtp);
    const std::string mail = kHello + kPipelined + "\nC: x\nC: .\n";
    server.intake.failure = base::Errc::storage;
    CHECK(server.play(mail + "S: 452 4.3.1\nS: 452 4.3.1\nC: NOOP\nS: 250") == "");
    server.intake.failure = base::Errc::busy;
    CHECK(server.play(mail + "S: 451 4.3.2\nS: 451 4.3.2") == "");
}

// RFC 5321 3.3, RFC 5321 3.5.3, RFC 5321 4.1.1.5, RFC 5321 4.1.1.6, RFC 5321 4.1.1.8,
// RFC 5321 4.1.4, RFC 2033 4.1, RFC 2033 4.2.
TEST_CASE("commands out of order") {
    RunningServer server(Protocol::lmtp);
    CHECK(server.play("S: 220\nC: MAIL FROM:<a@a.test>\nS: 503 5.5.1") == "");
    CHECK(server.play("S: 220\nC: EHLO x\nS: 500 5.5.1") == "");
    CHECK(server.play(kHello + R"(
        C: RCPT TO:<bob@b.test>
        S: 503 5.5.1
        C: DATA
        S: 503 5.5.1
        C: MAIL FROM:<a@a.test>
        S: 250 2.1.0
        C: MAIL FROM:<a@a.test>
        S: 503 5.5.1
        C: DATA
        S: 503 5.5.1
        C: RSET
        S: 250 2.0.0
        C: RCPT TO:<bob@b.test>
        S: 503 5.5.1
        C: VRFY bob
        S: 252 2.1.5
        C: HELP
        S: 214 2.0.0)") == "");
}

// RFC 1870 6.1, RFC 6531 3.5, RFC 5321 4.5.1.
TEST_CASE("what can be refused early is") {
    RunningServer server(Protocol::lmtp);
    CHECK(server.play(kHello + R"(
        C: MAIL FROM:<a@a.test> SIZE=1001
        S: 552 5.3.4
        C: MAIL FROM:<a@a.test>
        S: 250
        C: RCPT TO:<ä@b.test>
        S: 553 5.6.7
        C: RCPT TO:<postmaster>
        S: 250 2.1.5)") == "");
}

TEST_CASE("a mail that is too large for XMPP is taken all the same, as it goes on by SMTP") {
    RunningServer server(Protocol::lmtp,
                         [](ListenerSettings& s) { s.max_size = ListenerSettings().max_size; });
    auto line = server.connect();
    line.read();
    line.send("LHLO x\r\nMAIL FROM:<a@a.test> SIZE=52428801\r\n");
    std::set<std::string> answers;
    while (!answers.contains("250 2.1.0 Sender ok"))
        REQUIRE(answers.insert(line.read().value_or("<end>")).second);
    CHECK(answers.contains("250-SIZE 1099511627776"));
}

// RFC 5321 4.5.3.1.8, RFC 5321 4.5.3.1.10.
TEST_CASE("recipients are bounded") {
    RunningServer server(Protocol::lmtp);
    std::string script = kHello + "C: MAIL FROM:<a@a.test>\nS: 250\n";
    for (std::size_t i = 0; i <= base::limits::kRecipients; ++i)
        script += "C: RCPT TO:<r" + std::to_string(i) + "@b.test>\n";
    for (std::size_t i = 0; i < base::limits::kRecipients; ++i)
        script += "S: 250 2.1.5\n";
    CHECK(server.play(script + "S: 452 4.5.3") == "");
}

// RFC 5321 2.3.8, RFC 5321 4.1.1.4, RFC 1870 6.3, RFC 2033 4.2.
TEST_CASE("a message that breaks the rules is read to its end, refused, and not stored") {
    RunningServer server(Protocol::lmtp);
    const auto reply_to = [&](const std::string& message) {
        auto line = server.connect();
        CHECK(dialogue::play(line, kHello + kPipelined, 'C') == "");
        line.send(message + "\r\n.\r\nNOOP\r\n");
        const std::string first = line.read().value_or("<end>");
        CHECK(line.read() == first);  // the second recipient
        CHECK(line.read() == "250 2.0.0 Ok");
        return first.substr(0, 9);
    };
    CHECK(reply_to("a\nb") == "554 5.5.2");
    CHECK(reply_to("a\n.\r\nMAIL FROM:<evil@a.test>") == "554 5.5.2");
    CHECK(reply_to("a\rb") == "554 5.5.2");
    CHECK(reply_to(std::string(1001, 'x')) == "552 5.3.4");
    CHECK(reply_to(std::string(200'000, 'x')) == "552 5.3.4");
    CHECK(server.intake.taken.empty());
}

// RFC 5321 6.3.
TEST_CASE("a mail that has been everywhere is a loop") {
    RunningServer server(Protocol::lmtp, [](ListenerSettings& s) { s.max_size = 100'000; });
    auto line = server.connect();
    line.send("LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<bob@a.test>\r\nDATA\r\n");
    for (std::string answer; !answer.starts_with("354");)
        answer = line.read().value_or("354");
    for (std::size_t i = 0; i <= base::limits::kReceived; ++i)
        line.send("Received: by x; now\r\n");
    line.send("\r\n.\r\n");
    CHECK(line.read().value_or("").starts_with("554 5.4.6"));
}

// RFC 5321 2.3.8, RFC 5321 4.2.4, RFC 5321 4.5.3.1.4.
TEST_CASE("lines that are too long, end in a bare LF, or are garbage") {
    RunningServer server(Protocol::smtp, [](ListenerSettings& s) { s.bad_commands = 10; });
    auto line = server.connect();
    line.read();
    line.send("NOOP " + std::string(base::limits::kCommandLine, 'x') + "\r\n");
    CHECK(line.read() == "500 5.5.2 Line too long");
    line.send("NOOP " + std::string(300'000, 'x') + "\r\nNOOP\nWHAT\r\nNOOP\r\n");
    CHECK(line.read() == "500 5.5.2 Line too long");
    CHECK(line.read() == "500 5.5.2 A line ends with CR LF");
    CHECK(line.read() == "500 5.5.2 Command not recognized");
    CHECK(line.read() == "250 2.0.0 Ok");
}

TEST_CASE("a few errors end the session") {
    RunningServer server(Protocol::smtp);
    CHECK(server.play("S: 220\nC: A\nC: B\nC: C\nC: NOOP\nS: 500\nS: 500\nS: 500\nS: 421 4.7.0\n"
                      "S: <end>") == "");
}

// RFC 2920 3.1, RFC 2920 3.2.
TEST_CASE("what is refused of a mail is no error, however much was pipelined behind it") {
    RunningServer server(Protocol::lmtp);
    std::string script = kHello + "C: MAIL FROM:<a@a.test> SIZE=1001\n";
    for (int i = 0; i < 50; ++i)
        script += "C: RCPT TO:<bob@b.test>\n";
    script += "C: DATA\nS: 552 5.3.4\n";
    for (int i = 0; i < 51; ++i)
        script += "S: 503 5.5.1\n";
    script += "C: MAIL FROM:<a@a.test>\nS: 250\n";
    for (int i = 0; i < 50; ++i)
        script += "C: RCPT TO:<bob@b.test> ORCPT=x\n";
    for (int i = 0; i < 50; ++i)
        script += "S: 501 5.5.4\n";
    CHECK(server.play(script + "C: RCPT TO:<bob@b.test>\nS: 250") == "");
}

// RFC 5321 3.8, RFC 5321 4.5.3.2.7.
TEST_CASE("a client that says nothing, or dribbles, is timed out") {
    RunningServer server(Protocol::smtp, [](ListenerSettings& s) {
        s.command_time = std::chrono::milliseconds(200);
    });
    CHECK(server.play("S: 220\nS: 421 4.4.2\nS: <end>") == "");
    auto line = server.connect();
    line.read();
    for (int i = 0; i < 6; ++i) {
        line.send("x");
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    CHECK(line.read().value_or("").starts_with("421 4.4.2"));
}

TEST_CASE("with no room left the idle client is told to go, and one at work is not") {
    RunningServer server(Protocol::lmtp, [](ListenerSettings& s) {
        s.admission = std::make_shared<smtp_bridge::Admission>();
        s.admission->places = smtp_bridge::Places(1, std::chrono::hours(1));
    });
    auto first = server.connect();
    CHECK(first.read().value_or("").starts_with("220"));
    auto second = server.connect();
    CHECK(dialogue::play(second, kHello, 'C') == "");
    CHECK(dialogue::play(first, "S: 421 4.7.0 mx.a.test Too many connections\nS: <end>", 'C') ==
          "");
    CHECK(dialogue::play(second, kPipelined, 'C') == "");
    CHECK(server.play("S: 421 4.7.0\nS: <end>") == "");
    CHECK(dialogue::play(second, "C: x\nC: .\nS: 250\nS: 250\nC: NOOP\nS: 250", 'C') == "");
    CHECK(server.play("S: 220") == "");
}

// RFC 5321 3.8, RFC 5321 6.1.
TEST_CASE(
    "a stop ends idle sessions, breaks off messages that come in, finishes what is committed") {
    RunningServer server(Protocol::lmtp);
    server.intake.delay = std::chrono::milliseconds(300);
    auto idle = server.connect();
    auto sending = server.connect();
    auto committing = server.connect();
    CHECK(dialogue::play(idle, kHello, 'C') == "");
    CHECK(dialogue::play(sending, kHello + kPipelined + "\nC: half a", 'C') == "");
    CHECK(dialogue::play(committing, kHello + kPipelined + "\nC: x\nC: .", 'C') == "");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    server.begin_stop();
    CHECK(dialogue::play(idle, "S: 421 4.3.2\nS: <end>", 'C') == "");
    CHECK(dialogue::play(sending, "S: 421 4.3.2\nS: <end>", 'C') == "");
    CHECK(dialogue::play(committing, "S: 250 2.0.0\nS: 250 2.0.0\nS: 421 4.3.2\nS: <end>", 'C') ==
          "");
    server.stop();
    CHECK(server.intake.taken.size() == 1);
}

TEST_CASE("clients outside the networks are turned away at once") {
    using namespace smtp_bridge;
    asio::io_context io;
    const int port = fixture::free_port();
    fixture::FakeIntake intake;
    const auto router = fixture::a_test();
    const auto greeting_with = [&](const char* network) {
        ListenerSettings settings;
        settings.endpoint = *Endpoint::parse("127.0.0.1:" + std::to_string(port));
        settings.hostname = "mx.a.test";
        settings.networks = {*Network::parse(network)};
        Server server(io.get_executor(), settings, router, intake);
        REQUIRE(server.start());
        std::string greeting(200, ' ');
        fixture::run(io, [&]() -> base::Task<void> {
            auto socket = co_await connect(settings.endpoint, std::chrono::seconds(5));
            const auto buffer = asio::buffer(greeting);
            co_await socket->async_read_some(buffer, base::use_result);
            socket->close();
            co_await server.stop();
        });
        return greeting.substr(0, 9);
    };
    CHECK(greeting_with("192.0.2.0/24") == "554 5.7.1");
    CHECK(greeting_with("127.0.0.0/8") == "220 mx.a.");
}
