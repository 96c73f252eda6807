// Wire: what a server hears of the name that we want to see in its certificate.
#include "smtp-bridge/wire/wire.hpp"

#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;

namespace {

/// The first bytes of a handshake, in which the name stands in the clear.
std::string client_hello(const std::string& server_name) {
    asio::io_context io;
    asio::local::stream_protocol::socket ours(io);
    asio::local::stream_protocol::socket theirs(io);
    asio::local::connect_pair(ours, theirs);
    Wire wire(Socket(std::move(ours)), 1000);
    std::string bytes(4096, 0);
    fixture::run(io, [&]() -> base::Task<void> {
        const auto context = client_tls(std::nullopt);
        REQUIRE(context);
        bool ended = false;
        base::spawn(io.get_executor(), "handshake", [&]() -> base::Task<void> {
            const auto started =
                co_await wire.start_tls(*context, server_name, std::chrono::seconds(20));
            CHECK_FALSE(started);
            ended = true;
        });
        const auto room = asio::buffer(bytes);
        const auto [error, size] = co_await theirs.async_read_some(room, base::use_result);
        CHECK_FALSE(error);
        bytes.resize(size);
        theirs.close();
        while (!ended)
            co_await base::sleep_for(std::chrono::milliseconds(1));
    });
    return bytes;
}

}  // namespace

// RFC 3207 4.2.
TEST_CASE("what was sent in the clear before a handshake is dropped, by either side") {
    for (const char* server_name : {"", "mx.b.test"}) {
        asio::io_context io;
        asio::local::stream_protocol::socket ours(io);
        asio::local::stream_protocol::socket theirs(io);
        asio::local::connect_pair(ours, theirs);
        Wire wire(Socket(std::move(ours)), 1000);
        asio::write(theirs, asio::buffer(std::string_view("220 go\r\n250 injected\r\n")));
        fixture::run(io, [&]() -> base::Task<void> {
            const auto filled = co_await wire.fill(std::chrono::seconds(20));
            CHECK(filled);
            wire.consume(8);
            CHECK(wire.input() == "250 injected\r\n");
            theirs.close();
            const auto context = client_tls(std::nullopt);
            const auto started =
                co_await wire.start_tls(*context, server_name, std::chrono::seconds(20));
            CHECK_FALSE(started);
        });
        CHECK(wire.input().empty());
    }
}

// RFC 6066 3.
TEST_CASE("a server hears the name that is wanted, and never an address") {
    CHECK(client_hello("mx.b.test").find("mx.b.test") != std::string::npos);
    const auto absolute = client_hello("mx.b.test.");
    CHECK(absolute.find("mx.b.test") != std::string::npos);
    CHECK(absolute.find("mx.b.test.") == std::string::npos);
    CHECK(client_hello("127.0.0.1").find("127.0.0.1") == std::string::npos);
    CHECK(client_hello("2001:db8::1").find("2001:db8::1") == std::string::npos);
}
