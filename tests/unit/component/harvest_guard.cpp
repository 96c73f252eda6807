#include "component/harvest_guard.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using component::HarvestGuard;

TEST_CASE("a peer that guesses is stopped, others are not, and its allowance comes back") {
    HarvestGuard guard;
    const base::TimePoint now{1h};
    CHECK(guard.may_ask("mail.evil.test", now));
    guard.refused("mail.evil.test", 499, now);
    CHECK(guard.may_ask("mail.evil.test", now));
    guard.refused("mail.evil.test", 1000, now);
    CHECK_FALSE(guard.may_ask("mail.evil.test", now));
    CHECK(guard.may_ask("mail.b.test", now));
    CHECK_FALSE(guard.may_ask("mail.evil.test", now + 1s));
    CHECK(guard.may_ask("mail.evil.test", now + 2s));
    guard.refused("mail.evil.test", 0, now + 1h);
    CHECK(guard.may_ask("mail.evil.test", now + 1h));
}

TEST_CASE("many peers are bounded, and share what is left") {
    HarvestGuard guard;
    const base::TimePoint now{1h};
    for (std::size_t i = 0; i < HarvestGuard::kPeers; ++i)
        guard.refused("p" + std::to_string(i) + ".test", 10, now);
    guard.refused("new.test", 600, now);
    CHECK_FALSE(guard.may_ask("newer.test", now));
    CHECK(guard.may_ask("p1.test", now));
    // Those that are good again make room.
    CHECK(guard.may_ask("newer.test", now + 1h));
}
