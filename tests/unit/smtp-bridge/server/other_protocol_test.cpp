// What is no mail protocol, and what may be content, ends the session: C is the test, S the server.
#include "smtp-bridge/server/other_protocol.hpp"

#include "base/limits.hpp"
#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using dialogue::kEnvelope;
using fixture::RunningServer;

namespace {

/// What a stranger would have us take for a dialogue.
const std::string kDialogue =
    "LHLO x\r\nMAIL FROM:<ceo@a.test>\r\nRCPT TO:<bob@b.test>\r\nDATA\r\nSubject: "
    "pay\r\n\r\nNow.\r\n"
    ".\r\nQUIT\r\n";

dialogue::Line greeted(RunningServer& server) {
    auto line = server.connect();
    line.send("LHLO x\r\n");
    for (std::string answer; !answer.starts_with("250 ");)
        answer = line.read().value_or("250 ");
    return line;
}

/// The only answer to `octets`, whole or up to a pause, after which the connection is at its end.
std::string last_word(dialogue::Line& line, const std::string& octets) {
    line.send(octets);
    const std::string answer = line.read().value_or("<end>");
    return line.read() ? "more" : answer.substr(0, answer.find(' ', 4));
}

}  // namespace

// RFC 9110 9.3.
TEST_CASE("other protocols are known by their first line") {
    for (const char* line :
         {"GET / HTTP/1.1", "get /", "POST http://127.0.0.1:2424/ HTTP/1.0", "PUT /x HTTP/1.1",
          "CONNECT a.test:25 HTTP/1.1", "PRI * HTTP/2.0", "ANYTHING / HTTP/1.1", "Host: a.test",
          "content-type:text/plain", "\x16\x03\x01", " folded", "{\"a\": 1}", "\xC3\xA4"}) {
        INFO(line);
        CHECK(is_other_protocol(line));
    }
    for (const char* line : {"", "WHAT", "WHAT is this", "HTTP", "XCLIENT", "GETTING on"}) {
        INFO(line);
        CHECK_FALSE(is_other_protocol(line));
    }
}

TEST_CASE("a request of HTTP ends the session, and its body is no dialogue") {
    RunningServer server(Protocol::lmtp);
    for (const char* request : {"POST / HTTP/1.1\r\nHost: a.test\r\n\r\n", "GET /\r\n\r\n",
                                "Host: a.test\r\n\r\n", "POST / HTTP/1.1\nHost: a.test\n\n"}) {
        INFO(request);
        auto line = server.connect();
        line.read();
        CHECK(last_word(line, request + kDialogue) == "521 5.5.2");
    }
    auto line = server.connect();
    line.read();
    const std::string long_path(2 * base::limits::kCommandLine, 'x');
    CHECK(last_word(line, "POST /" + long_path + " HTTP/1.1\r\n\r\n" + kDialogue) == "521 5.5.2");
    auto later = greeted(server);
    CHECK(last_word(later, "Subject: pay\r\n" + kDialogue) == "521 5.5.2");
    CHECK(server.intake.taken.empty());
}

TEST_CASE("a TLS client hears at once that nobody here speaks it, without the end of a line") {
    RunningServer server(Protocol::smtp);
    auto line = server.connect();
    line.read();
    CHECK(last_word(line, std::string("\x16\x03\x01\x00\xA5\x01\x00", 7)) == "521 5.5.2");
}

// RFC 2920 3.1.
TEST_CASE("content in front of our 354 ends the session, whether DATA is taken or refused") {
    RunningServer server(Protocol::lmtp);
    auto taken = greeted(server);
    CHECK(dialogue::play(taken, kEnvelope, 'C') == "");
    CHECK(last_word(taken, "DATA\r\nSubject: x\r\n\r\n.\r\n") == "521 5.5.1");
    auto refused = greeted(server);
    CHECK(last_word(refused, "DATA\r\nMAIL FROM:<a@a.test>\r\n.\r\n") == "521 5.5.1");
    CHECK(server.intake.taken.empty());
    // What RFC 2920 allows goes on working: a group that ends with DATA.
    auto right = greeted(server);
    CHECK(dialogue::play(right, R"(
        C: MAIL FROM:<alice@a.test>
        C: RCPT TO:<bob@b.test>
        C: DATA
        S: 250
        S: 250
        S: 354
        C: x
        C: .
        C: MAIL FROM:<alice@a.test>
        C: DATA
        S: 250 2.0.0 Ok: queued
        S: 250 2.1.0
        S: 503 5.5.1
        C: NOOP
        S: 250)",
                         'C') == "");
}

TEST_CASE(
    "a DATA or BDAT that is not understood ends the session, as its octets would be commands") {
    RunningServer server(Protocol::lmtp);
    const std::string octets = "MAIL FROM:<ceo@a.test>\r\nRSET\r\n";
    for (const std::string& command :
         {std::string("BDAT\r\n"), std::string("BDAT x LAST\r\n"), std::string("BDAT 30 FIRST\r\n"),
          std::string("BDAT -1\r\n"), std::string("BDAT 30 LAST \x01\r\n"),
          std::string("bdat\t30 LAST\r\n"), std::string("BDAT 30 LAST\n"),
          std::string("BDAT 99999999999999999999 LAST\r\n"), std::string("BDAT 30 \xFF\r\n"),
          "BDAT " + std::string(base::limits::kCommandLine, '0') + "30 LAST\r\n",
          std::string("DATA now\r\n"), std::string("DATA\n"), std::string("DATA \x01\r\n")}) {
        INFO(command.substr(0, 40));
        auto line = greeted(server);
        CHECK(dialogue::play(line, kEnvelope, 'C') == "");
        CHECK(last_word(line, command + octets).starts_with("521 5.5."));
    }
    CHECK(server.intake.taken.empty());
}

TEST_CASE("a BDAT that is refused swallows its octets, however it was refused") {
    RunningServer server(Protocol::lmtp, [](ListenerSettings& s) { s.client_rate = 1; });
    auto line = greeted(server);
    const std::string octets = "MAIL FROM:<ceo@a.test>\r\nRSET\r\n";
    const std::string bdat = "BDAT " + std::to_string(octets.size()) + " LAST\r\n" + octets;
    line.send(bdat + "NOOP\r\n");
    CHECK(line.read().value_or("").starts_with("503 5.5.1"));
    CHECK(line.read().value_or("").starts_with("250 2.0.0 Ok"));
    line.send("MAIL FROM:<a@a.test>\r\nRSET\r\nMAIL FROM:<a@a.test>\r\n" + bdat + "NOOP\r\n");
    CHECK(line.read().value_or("").starts_with("250 2.1.0"));
    CHECK(line.read().value_or("").starts_with("250 2.0.0"));
    CHECK(line.read().value_or("").starts_with("450 4.7.0"));
    CHECK(line.read().value_or("").starts_with("503 5.5.1"));
    CHECK(line.read().value_or("").starts_with("250 2.0.0 Ok"));
    CHECK(server.intake.taken.empty());
}
