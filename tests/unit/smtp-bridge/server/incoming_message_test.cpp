// Messages that are too large for memory: C is the test, S the server, and the spool is a fake one.
#include "smtp-bridge/server/incoming_message.hpp"

#include "base/limits.hpp"
#include "support/smtp-bridge/fixture.hpp"
#include "support/smtp-bridge/large_messages.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;
using dialogue::kHello;
using fixture::RunningServer;
using namespace support;

namespace {

const std::string kEnvelope = R"(
    C: MAIL FROM:<alice@a.test>
    C: RCPT TO:<bob@b.test>
    C: RCPT TO:<carol@b.test>
    C: DATA
    S: 250 2.1.0
    S: 250 2.1.5
    S: 250 2.1.5
    S: 354
)";
constexpr std::size_t kBound = base::limits::kInlineContent;
/// The most that one read from the socket brings.
constexpr std::size_t kBuffer = 64u << 10;

RunningServer large_server() {
    return RunningServer(Protocol::lmtp, [](ListenerSettings& s) { s.max_size = 3u << 20; });
}

}  // namespace

// RFC 5321 4.5.3.1.7.
TEST_CASE("a large message goes through the spool as it is, however it is cut") {
    const std::string message = large_message(2 * kBound + 1000);
    const std::string wire = on_the_wire(message) + "QUIT\r\n";
    const std::size_t piece = GENERATE(std::size_t{1}, std::size_t{7}, kBuffer);
    fixture::FakeIntake intake;
    asio::io_context io;
    fixture::run(io, [&]() -> base::Task<void> {
        IncomingMessage incoming(intake, message.size());
        std::size_t used = 0;
        while (!incoming.reader().done()) {
            const auto more = std::string_view(wire).substr(used, piece);
            used += incoming.feed(more);
            if (incoming.is_full()) co_await incoming.spill();
        }
        CHECK(used == wire.size() - 6);
        CHECK(incoming.reader().fault() == DataReader::Fault::none);
        const auto content = co_await incoming.content();
        REQUIRE(content);
        const auto whole = co_await content->read(0, content->size());
        CHECK(whole->bytes() == message);
        CHECK(incoming.file() == queue::QueueId{42});
        CHECK(intake.spools.alive == 1);
    });
    CHECK(intake.spools.largest <= kBound + kBuffer);
    CHECK(intake.spools.alive == 0);
}

TEST_CASE("what just fits into memory sees no spool") {
    fixture::FakeIntake intake;
    asio::io_context io;
    fixture::run(io, [&]() -> base::Task<void> {
        const std::string message = std::string(kBound - 2, 'x') + "\r\n";
        IncomingMessage incoming(intake, kBound);
        incoming.feed(on_the_wire(message));
        CHECK(incoming.reader().done());
        CHECK_FALSE(incoming.is_full());
        const auto content = co_await incoming.content();
        CHECK(content->bytes() == message);
        CHECK_FALSE(incoming.file());
    });
    CHECK(intake.spools.made == 0);
}

TEST_CASE("LMTP: a large message is taken from its spool, which is gone afterwards") {
    auto server = large_server();
    const std::string message = large_message(2u << 20);
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    line.send(on_the_wire(message));
    CHECK(dialogue::play(line, "S: 250 2.0.0\nS: 250 2.0.0\nC: NOOP\nS: 250 2.0.0 Ok", 'C') == "");
    CHECK(all_of(server.intake.taken.at(0).content) == message);
    CHECK(server.intake.taken.at(0).file == queue::QueueId{42});
    CHECK(server.intake.spools.largest <= kBound + kBuffer);
    CHECK(server.intake.spools.made == 1);
    CHECK(server.intake.spools.alive == 0);
}

TEST_CASE("a fault far behind takes the spool with it, and the session goes on") {
    auto server = large_server();
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    SECTION("a bare LF") {
        line.send(large_message(1u << 20) + "smuggled\n.\r\n");
        CHECK(soon(
            [&] { return server.intake.spools.made == 1 && server.intake.spools.alive == 0; }));
        line.send(large_message(1u << 20) + ".\r\n");
        CHECK(dialogue::play(line, "S: 554 5.5.2\nS: 554 5.5.2", 'C') == "");
    }
    SECTION("the size") {
        line.send(large_message(4u << 20));
        CHECK(soon(
            [&] { return server.intake.spools.made == 1 && server.intake.spools.alive == 0; }));
        line.send(".\r\n");
        CHECK(dialogue::play(line, "S: 552 5.3.4\nS: 552 5.3.4", 'C') == "");
    }
    CHECK(server.intake.taken.empty());
    CHECK(dialogue::play(line, kEnvelope + "\nC: x\nC: .\nS: 250\nS: 250", 'C') == "");
}

TEST_CASE("a full disk is the answer to the whole message, and the session goes on") {
    auto server = large_server();
    SECTION("from the start") {
        server.intake.spools.none = true;
    }
    SECTION("in the middle") {
        server.intake.spools.full = true;
    }
    SECTION("when it is looked at") {
        server.intake.spools.unreadable = true;
    }
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    line.send(on_the_wire(large_message(2u << 20)));
    CHECK(dialogue::play(line, "S: 452 4.3.1\nS: 452 4.3.1", 'C') == "");
    CHECK(server.intake.spools.made <= 1);
    CHECK(server.intake.spools.alive == 0);
    CHECK(dialogue::play(line, kEnvelope + "\nC: x\nC: .\nS: 250\nS: 250", 'C') == "");
}

TEST_CASE("a large message that breaks off leaves no spool") {
    auto server = large_server();
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    line.send(large_message(1u << 20));
    CHECK(soon([&] { return server.intake.spools.alive == 1; }));
    SECTION("because the client is gone") {
        line.close();
    }
    SECTION("because we stop") {
        server.begin_stop();
        CHECK(dialogue::play(line, "S: 421 4.3.2\nS: <end>", 'C') == "");
    }
    CHECK(soon([&] { return server.intake.spools.alive == 0; }));
    CHECK(server.intake.taken.empty());
}

TEST_CASE("messages of any size share a budget that has room for a piece of each") {
    RunningServer server(Protocol::lmtp, [](ListenerSettings& s) {
        s.max_size = 3u << 20;
        s.admission = std::make_shared<Admission>();
        s.admission->bytes = IntakeBudget(2 * (kBound + kBuffer));
    });
    const std::string wire = on_the_wire(large_message(2u << 20));
    const auto half = wire.size() / 2;
    auto first = server.connect();
    auto second = server.connect();
    for (auto* line : {&first, &second}) {
        CHECK(dialogue::play(*line, kHello + kEnvelope, 'C') == "");
        line->send(std::string_view(wire).substr(0, half));
    }
    for (auto* line : {&first, &second}) {
        line->send(std::string_view(wire).substr(half));
        CHECK(dialogue::play(*line, "S: 250\nS: 250", 'C') == "");
    }
}

TEST_CASE("who goes on sending far more than is allowed is cut off in the middle of it") {
    auto server = large_server();
    auto line = server.connect();
    CHECK(dialogue::play(line, kHello + kEnvelope, 'C') == "");
    const std::string text(1u << 20, 'x');
    // 3 MB are allowed, and 64 more are read so that the answer is one that arrives.
    for (int i = 0; i < 72; ++i)
        line.send(text);
    CHECK(dialogue::play(line, "S: 552 5.3.4 Message too large\nS: 552 5.3.4\nS: <end>", 'C') ==
          "");
    CHECK(server.intake.taken.empty());
}
