// The pieces that coroutines are put together from, on a loop of their own.
#include "base/async.hpp"

#include "support/fakes.hpp"
#include "support/virtual_time.hpp"

#include <csignal>
#include <stdexcept>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

using base::Deadline;
using base::OneShot;
using base::Signal;
using base::Task;
using namespace std::chrono_literals;

namespace {

constexpr auto kLong = 20s;    // never waited for if the code is right
constexpr auto kShort = 20ms;  // waited for in full

using Loop = boost::asio::io_context;

}  // namespace

TEST_CASE("OneShot: a value set before the wait is there at once") {
    Loop loop;
    const int got = support::run<int>(loop, [&]() -> Task<int> {
        OneShot<int> shot(loop.get_executor());
        CHECK_FALSE(shot.is_set());
        shot.set(1);
        shot.set(2);  // the first counts
        CHECK(shot.is_set());
        const auto value = co_await shot.wait(kLong);
        co_return value.value_or(-1);
    });
    CHECK(got == 1);
}

TEST_CASE("OneShot: the setter wakes the waiter") {
    Loop loop;
    OneShot<std::string> shot(loop.get_executor());
    base::spawn(loop.get_executor(), "setter", [&]() -> Task<void> {
        co_await base::sleep_for(kShort);
        shot.set("hello");
    });
    const auto got = support::run<std::string>(loop, [&]() -> Task<std::string> {
        const auto value = co_await shot.wait(kLong);
        co_return value.value_or("nothing");
    });
    CHECK(got == "hello");
}

TEST_CASE("OneShot: nothing comes when the limit passes first") {
    Loop loop;
    const bool got = support::run<bool>(loop, [&]() -> Task<bool> {
        OneShot<int> shot(loop.get_executor());
        const auto value = co_await shot.wait(kShort);
        co_return value.has_value();
    });
    CHECK_FALSE(got);
}

TEST_CASE("OneShot: what can't be copied is moved through") {
    Loop loop;
    const int got = support::run<int>(loop, [&]() -> Task<int> {
        OneShot<std::unique_ptr<int>> shot(loop.get_executor());
        shot.set(std::make_unique<int>(7));
        const auto value = co_await shot.wait(kLong);
        co_return value&&* value ? **value : -1;
    });
    CHECK(got == 7);
}

TEST_CASE("Deadline: expires once its limit has passed") {
    Loop loop;
    int calls = 0;
    Deadline deadline(loop.get_executor(), [&] { ++calls; });
    deadline.arm(kShort);
    loop.run();
    CHECK(calls == 1);
    CHECK(deadline.expired());
}

TEST_CASE("Deadline: disarmed or destroyed it never fires") {
    Loop loop;
    int calls = 0;
    Deadline deadline(loop.get_executor(), [&] { ++calls; });
    deadline.arm(kShort);
    deadline.disarm();
    {
        Deadline gone(loop.get_executor(), [&] { ++calls; });
        gone.arm(kShort);
    }
    loop.run();
    CHECK(calls == 0);
    CHECK_FALSE(deadline.expired());
}

TEST_CASE("Deadline: a handler that was due when it was armed again does not count") {
    Loop loop;
    int calls = 0;
    Deadline deadline(loop.get_executor(), [&] { ++calls; });
    deadline.arm(0ms);
    // The timer has run out, and its handler waits behind this one.
    boost::asio::post(loop, [&] {
        deadline.arm(kLong);
        boost::asio::post(loop, [&] { deadline.disarm(); });
    });
    loop.run();
    CHECK(calls == 0);
}

TEST_CASE("Deadline: it may be destroyed by what it calls") {
    Loop loop;
    std::unique_ptr<Deadline> deadline;
    deadline = std::make_unique<Deadline>(loop.get_executor(), [&] { deadline.reset(); });
    deadline->arm(0ms);
    loop.run();
    CHECK_FALSE(deadline);
}

TEST_CASE("Deadline: bounds a wait that would not end") {
    Loop loop;
    const bool ended = support::run<bool>(loop, [&]() -> Task<bool> {
        boost::asio::steady_timer forever(loop, kLong);
        Deadline deadline(loop.get_executor(), [&] { forever.cancel(); });
        deadline.arm(kShort);
        co_await forever.async_wait(base::use_result);
        co_return deadline.expired();
    });
    CHECK(ended);
}

TEST_CASE("Signal: a notice given before the wait is kept, once") {
    Loop loop;
    const int got = support::run<int>(loop, [&]() -> Task<int> {
        Signal signal(loop.get_executor());
        signal.notify();
        signal.notify();
        const bool first = co_await signal.wait(kLong);
        const bool second = co_await signal.wait(kShort);
        co_return (first ? 10 : 0) + (second ? 1 : 0);
    });
    CHECK(got == 10);
}

TEST_CASE("Signal: a notice wakes the waiter, every time") {
    Loop loop;
    Signal signal(loop.get_executor());
    Signal answer(loop.get_executor());
    base::spawn(loop.get_executor(), "notifier", [&]() -> Task<void> {
        for (int i = 0; i < 100; ++i) {
            signal.notify();
            co_await answer.wait(kLong);
        }
    });
    const int woken = support::run<int>(loop, [&]() -> Task<int> {
        int count = 0;
        while (count < 100) {
            const bool notified = co_await signal.wait(kLong);
            if (!notified) break;
            ++count;
            answer.notify();
        }
        co_return count;
    });
    CHECK(woken == 100);
}

TEST_CASE("Signal: who waits beside another one is told, and the first is woken all the same") {
    Loop loop;
    Signal signal(loop.get_executor());
    bool woken = false;
    base::spawn(loop.get_executor(), "first",
                [&]() -> Task<void> { woken = co_await signal.wait(kLong); });
    const bool refused = support::run<bool>(loop, [&]() -> Task<bool> {
        bool thrown = false;
        try {
            thrown = co_await signal.wait(kLong);
        } catch (const std::logic_error&) {
            thrown = true;
        }
        signal.notify();
        co_await base::sleep_for(kShort);
        co_return thrown;
    });
    CHECK(refused);
    CHECK(woken);
}

TEST_CASE("sleep_for: true after its time, false when cancelled") {
    Loop loop;
    boost::asio::cancellation_signal cancel;
    std::optional<bool> slept;
    boost::asio::co_spawn(
        loop,
        [&]() -> Task<void> {
            const bool whole = co_await base::sleep_for(kShort);
            CHECK(whole);
            co_await boost::asio::this_coro::reset_cancellation_state(
                boost::asio::enable_total_cancellation());
            co_await boost::asio::this_coro::throw_if_cancelled(false);
            boost::asio::post(loop, [&] { cancel.emit(boost::asio::cancellation_type::all); });
            slept = co_await base::sleep_for(kLong);
        },
        boost::asio::bind_cancellation_slot(cancel.slot(), [](const std::exception_ptr&) {}));
    loop.run();
    REQUIRE(slept.has_value());
    CHECK_FALSE(*slept);
}

TEST_CASE("A loop may have a time of its own, which passes when it is told to") {
    Loop loop;
    support::VirtualTime time(loop);
    int calls = 0;
    std::optional<bool> slept;
    Deadline deadline(loop.get_executor(), [&] { ++calls; });
    deadline.arm(2h);
    base::spawn(loop.get_executor(), "sleeper",
                [&]() -> Task<void> { slept = co_await base::sleep_for(1h); });
    time.advance(59min);
    CHECK_FALSE(slept);
    time.advance(1min);
    CHECK(slept == true);
    CHECK(calls == 0);
    SECTION("what is armed again is due later") {
        deadline.arm(2h);
        time.advance(119min);
        CHECK(calls == 0);
        time.advance(1min);
        CHECK(calls == 1);
    }
    SECTION("what is disarmed is not due") {
        deadline.disarm();
        time.advance(24h);
        CHECK(calls == 0);
    }
    SECTION("who is called is called once") {
        time.advance(24h);
        CHECK(calls == 1);
        CHECK(time.elapsed() == 25h);
    }
}

TEST_CASE(
    "In a time of its own, too, a setter wakes the waiter before its limit, or nothing does") {
    Loop loop;
    support::VirtualTime time(loop);
    OneShot<int> shot(loop.get_executor());
    Signal signal(loop.get_executor());
    base::spawn(loop.get_executor(), "setter", [&]() -> Task<void> {
        co_await base::sleep_for(1min);
        shot.set(7);
        signal.notify();
    });
    const int got = support::run<int>(loop, [&]() -> Task<int> {
        const auto value = co_await shot.wait(1h);
        const bool notified = co_await signal.wait(1h);
        const bool again = co_await signal.wait(1h);
        co_return value.value_or(0) * 10 + (notified ? 1 : 0) + (again ? 5 : 0);
    });
    CHECK(got == 71);
    CHECK(time.elapsed() == 61min);
}

TEST_CASE("Waits may outlive the time that their loop had") {
    Loop loop;
    std::optional<support::VirtualTime> time(std::in_place, loop);
    OneShot<int> shot(loop.get_executor());
    base::spawn(loop.get_executor(), "waiter", [&]() -> Task<void> { co_await shot.wait(1h); });
    time->advance(1min);
    time.reset();
    shot.set(1);
    loop.restart();
    loop.run();
    CHECK(shot.is_set());
}

TEST_CASE("spawn: the captures live as long as the coroutine") {
    Loop loop;
    std::string seen;
    {
        const std::string text(100, 'x');
        base::spawn(loop.get_executor(), "captures", [&seen, text]() -> Task<void> {
            co_await base::sleep_for(kShort);
            seen = text;
        });
    }
    loop.run();
    CHECK(seen == std::string(100, 'x'));
}

TEST_CASE("spawn: an exception that leaves the coroutine ends the process") {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        close(STDOUT_FILENO);  // the log may be on either
        close(STDERR_FILENO);
        // Catch would report the abort in the child's name.
        std::signal(SIGABRT, SIG_DFL);
        Loop loop;
        base::spawn(loop.get_executor(), "panic", []() -> Task<void> {
            co_await base::sleep_for(1ms);
            throw std::runtime_error("a broken invariant");
        });
        loop.run();
        _exit(0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGABRT);
}
