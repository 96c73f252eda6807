// LogLimiter: one peer complains, floods, stops; many peers flood.
#include "component/log_limiter.hpp"

#include "support/fakes.hpp"

#include <fmt/format.h>

using component::LogLimiter;
using namespace std::chrono_literals;

TEST_CASE("The first complaint is logged at once, then one a minute with a count") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    CHECK(limiter.admit("mail.evil.test", "malformed") == 0);
    for (int i = 0; i < 1234; ++i)
        CHECK_FALSE(limiter.admit("mail.evil.test", "malformed"));
    clock.advance(60s);
    CHECK(limiter.admit("mail.evil.test", "malformed") == 1234);
    CHECK_FALSE(limiter.admit("mail.evil.test", "malformed"));
}

TEST_CASE("Another kind and another peer have lines of their own; a domain's users have one") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    CHECK(limiter.admit("eve@evil.test/1", "malformed") == 0);
    CHECK(limiter.admit("eve@evil.test", "busy") == 0);
    CHECK(limiter.admit("mail.b.test", "malformed") == 0);
    CHECK_FALSE(limiter.admit("eve@evil.test/2@x.test", "malformed"));
    CHECK_FALSE(limiter.admit("adam@evil.test", "malformed"));
    CHECK_FALSE(limiter.admit("evil.test", "malformed"));
}

TEST_CASE("All names below one domain have one line, and leave the others theirs") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    int logged = 0;
    for (std::size_t i = 0; i < 2 * LogLimiter::kRemembered; ++i)
        logged += limiter.admit(fmt::format("x{}.evil.test", i), "malformed") ? 1 : 0;
    CHECK(logged == 1);
    CHECK(limiter.admit("mail.b.test", "malformed") == 0);
    CHECK(limiter.admit("mail.c.test", "malformed") == 0);
    clock.advance(60s);
    const auto told = limiter.take_left_out();
    REQUIRE(told.size() == 1);
    CHECK(told[0].peer == "evil.test");
}

TEST_CASE("What a flood that has ended left out is told all the same, once") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    for (int i = 0; i < 8; ++i)
        limiter.admit("mail.evil.test", "malformed");
    limiter.admit("mail.b.test", "malformed");
    CHECK(limiter.take_left_out().empty());
    clock.advance(60s);
    const auto told = limiter.take_left_out();
    REQUIRE(told.size() == 1);
    CHECK(told[0].peer == "evil.test");
    CHECK(told[0].kind == "malformed");
    CHECK(told[0].count == 7);
    // That was this minute's line.
    CHECK_FALSE(limiter.admit("mail.evil.test", "malformed"));
    CHECK(limiter.admit("mail.b.test", "malformed") == 0);
}

TEST_CASE("Countless peers share a line; with time there is room again") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    std::size_t logged = 0;
    for (std::size_t i = 0; i < 5 * LogLimiter::kRemembered; ++i)
        logged += limiter.admit(fmt::format("mail.evil{}.test", i), "malformed") ? 1 : 0;
    CHECK(logged == LogLimiter::kRemembered + 1);
    CHECK(limiter.admit("mail.evil7.test", "busy") == 0);
    CHECK_FALSE(limiter.admit("mail.evil8.test", "busy"));
    clock.advance(60s);
    std::uint64_t of_many = 0;
    for (const auto& lines : limiter.take_left_out())
        of_many += lines.peer.empty() ? lines.count : 0;
    CHECK(of_many == 4 * LogLimiter::kRemembered);
    CHECK(limiter.admit("mail.b.test", "malformed") == 0);
}

TEST_CASE("A clock that is set back silences nobody, and one that is set ahead floods nothing") {
    support::ManualClock clock;
    LogLimiter limiter(clock);
    limiter.admit("mail.evil.test", "malformed");
    clock.jump(24h);
    CHECK_FALSE(limiter.admit("mail.evil.test", "malformed"));
    clock.jump(-48h);
    clock.advance(60s);
    CHECK(limiter.admit("mail.evil.test", "malformed") == 1);
}
