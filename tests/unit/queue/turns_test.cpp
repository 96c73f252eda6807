#include "queue/turns.hpp"

#include "support/run_until.hpp"

#include <vector>

#include <catch2/catch.hpp>

TEST_CASE("a few have their turn at once, the others in the order in which they came") {
    boost::asio::io_context io;
    queue::Turns turns(io.get_executor(), 2);
    std::vector<int> entered;
    const auto one = [&](int number) -> base::Task<void> {
        co_await turns.enter();
        entered.push_back(number);
    };
    for (int i = 0; i < 5; ++i)
        boost::asio::co_spawn(io, one(i), boost::asio::detached);
    io.poll();
    CHECK(entered == std::vector<int>{0, 1});
    turns.leave();
    support::run_until(io, [&] { return entered.size() == 3; });
    turns.leave();
    turns.leave();
    support::run_until(io, [&] { return entered.size() == 5; });
    CHECK(entered == std::vector<int>{0, 1, 2, 3, 4});
    for (int i = 0; i < 2; ++i)
        turns.leave();
    boost::asio::co_spawn(io, one(5), boost::asio::detached);
    io.restart();
    io.poll();
    CHECK(entered.size() == 6);
}
