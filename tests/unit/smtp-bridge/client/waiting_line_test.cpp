#include "smtp-bridge/client/waiting_line.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;

TEST_CASE("who leaves the line has the next one look") {
    asio::io_context io;
    WaitingLine line(io.get_executor());
    fixture::run(io, [&]() -> base::Task<void> {
        auto first = std::make_unique<WaitingLine::Place>(line);
        const WaitingLine::Place second(line);
        CHECK(first->is_first());
        CHECK_FALSE(second.is_first());
        line.wake();
        first.reset();
        const auto began = std::chrono::steady_clock::now();
        co_await second.wait(std::chrono::seconds(20));
        CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(20));
        CHECK(second.is_first());
    });
}
