// TaskGroup and for_each: who is waited for, and how many run at once.
#include "base/task_group.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using base::Task;
using namespace std::chrono_literals;

namespace {

using TaskLoop = boost::asio::io_context;

}  // namespace

TEST_CASE("join waits for the last task, however many there are") {
    const int tasks = GENERATE(0, 1, 3);
    CAPTURE(tasks);
    TaskLoop loop;
    base::TaskGroup group(loop.get_executor());
    int waiting = 0;
    int ended = 0;
    for (int i = 0; i < tasks; ++i) {
        group.spawn("task", [&]() -> Task<void> {
            ++waiting;
            while (waiting < tasks)
                co_await base::sleep_for(1ms);
            ++ended;
        });
    }
    CHECK(group.running() == static_cast<std::size_t>(tasks));
    const int seen = support::run<int>(loop, [&]() -> Task<int> {
        co_await group.join();
        co_return ended;
    });
    CHECK(seen == tasks);
    CHECK(group.running() == 0);
}

TEST_CASE("join waits for one that somebody else started, too") {
    TaskLoop loop;
    base::TaskGroup group(loop.get_executor());
    auto member = std::make_unique<base::TaskGroup::Member>(group);
    bool left = false;
    base::spawn(loop.get_executor(), "member", [&]() -> Task<void> {
        co_await base::sleep_for(1ms);
        left = true;
        member.reset();
    });
    const bool seen = support::run<bool>(loop, [&]() -> Task<bool> {
        co_await group.join();
        co_return left;
    });
    CHECK(seen);
}

TEST_CASE("for_each does each once, and no more at a time than it may") {
    TaskLoop loop;
    std::vector<int> done(10, 0);
    std::size_t at_work = 0;
    std::size_t most = 0;
    support::run<bool>(loop, [&]() -> Task<bool> {
        const std::function<Task<void>(std::size_t)> work = [&](std::size_t i) -> Task<void> {
            most = std::max(most, ++at_work);
            co_await base::sleep_for(1ms);
            ++done[i];
            --at_work;
        };
        co_await base::for_each(done.size(), 3, work);
        CHECK(at_work == 0);
        co_return true;
    });
    CHECK(most == 3);
    CHECK(done == std::vector<int>(10, 1));
}
