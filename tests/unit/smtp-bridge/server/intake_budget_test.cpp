#include "smtp-bridge/server/intake_budget.hpp"

#include "support/smtp-bridge/fixture.hpp"
#include "support/virtual_time.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;

TEST_CASE("the budget pushes back until somebody gives back") {
    asio::io_context io;
    support::VirtualTime time(io);
    IntakeBudget budget(100);
    fixture::run(io, [&]() -> base::Task<void> {
        const auto short_time = std::chrono::milliseconds(50);
        IntakeBudget::Hold a(budget, io.get_executor());
        auto b = std::make_unique<IntakeBudget::Hold>(budget, io.get_executor());
        IntakeBudget::Hold c(budget, io.get_executor());
        const auto first = co_await a.take(50, short_time);
        const auto second = co_await b->take(50, short_time);
        CHECK(first);
        CHECK(second);
        const auto refused = co_await c.take(50, short_time);
        CHECK(refused.error().code == base::Errc::busy);
        bool waited = false;
        base::spawn(io.get_executor(), "waiter", [&]() -> base::Task<void> {
            const auto room = co_await c.take(50, std::chrono::seconds(5));
            waited = room.has_value();
        });
        co_await base::sleep_for(short_time);
        CHECK_FALSE(waited);
        b.reset();
        co_await base::sleep_for(short_time);
        CHECK(waited);
        IntakeBudget::Hold d(budget, io.get_executor());
        d.interrupt();
        const auto stopped = co_await d.take(50, short_time);
        CHECK(stopped.error().code == base::Errc::closed);
    });
    CHECK(budget.used() == 0);
}
