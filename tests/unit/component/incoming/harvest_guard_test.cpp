#include "component/incoming/harvest_guard.hpp"

#include "support/fakes.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using component::HarvestGuard;

namespace {

/// All guesses of `peer` are wrong; how many it had answered.
std::size_t guess(HarvestGuard& guard, const std::string& peer, std::size_t recipients,
                  base::SteadyPoint now) {
    const auto asking = guard.ask(peer, recipients, now);
    guard.answered(asking, asking.recipients, now);
    return asking.recipients;
}

}  // namespace

TEST_CASE("a peer that guesses is stopped, others are not, and its allowance comes back") {
    HarvestGuard guard;
    const base::SteadyPoint now{1h};
    CHECK(guess(guard, "evil.test", 999, now) == 999);
    CHECK(guess(guard, "evil.test", 1000, now) == 1);
    CHECK(guess(guard, "evil.test", 1000, now) == 0);
    CHECK(guess(guard, "b.test", 1, now) == 1);
    CHECK(guess(guard, "evil.test", 1, now + 1s) == 0);
    CHECK(guess(guard, "evil.test", 100, now + 61s) == 50);
    CHECK(guess(guard, "evil.test", 100, now + 61s) == 0);
    // Never more than the whole, however long it waits.
    CHECK(guess(guard, "evil.test", 2000, now + 48h) == 1000);
}

TEST_CASE("what is being looked up counts before it is answered") {
    HarvestGuard guard;
    const base::SteadyPoint now{1h};
    const auto first = guard.ask("evil.test", 600, now);
    const auto second = guard.ask("evil.test", 600, now);
    CHECK(first.recipients == 600);
    CHECK(second.recipients == 400);
    const auto third = guard.ask("evil.test", 600, now + 1h);
    CHECK(third.recipients == 0);  // it grows no further than to the whole
    CHECK(third.may_be_more);
    guard.answered(second, 0, now + 1h);
    guard.answered(first, 600, now + 1h);
    const auto fourth = guard.ask("evil.test", 600, now + 1h);
    CHECK(fourth.recipients == 400);
    CHECK_FALSE(fourth.may_be_more);
}

TEST_CASE("whoever asks as often as it can learns no more than is written down") {
    support::SeededRandom random;
    HarvestGuard guard;
    const base::SteadyPoint begin{1h};
    std::vector<HarvestGuard::Asking> asking;
    std::size_t refused = 0;
    for (auto passed = 0ms; passed < 30min; passed += 100ms) {
        const auto now = begin + passed;
        asking.push_back(guard.ask("evil.test", 1 + random.below(1400), now));
        while (asking.size() > random.below(20)) {
            const std::size_t wrong = random.below(asking.front().recipients + 1);
            guard.answered(asking.front(), wrong, now);
            refused += wrong;
            asking.erase(asking.begin());
        }
        const double minutes = std::chrono::duration<double>(passed).count() / 60;
        REQUIRE(static_cast<double>(refused) <=
                HarvestGuard::kAtOnce + HarvestGuard::kInMinute * minutes + 0.001);
    }
    CHECK(refused > 2000);  // and that much it may
}

TEST_CASE("who guesses nothing wrong is not remembered") {
    HarvestGuard guard;
    const base::SteadyPoint now{1h};
    const auto asking = guard.ask("b.test", 500, now);
    CHECK(guard.remembered() == 1);
    guard.answered(asking, 0, now);
    CHECK(guard.remembered() == 0);
}

TEST_CASE("many peers are bounded, and share what is left") {
    HarvestGuard guard;
    const base::SteadyPoint now{1h};
    for (std::size_t i = 0; i < HarvestGuard::kPeers; ++i)
        guess(guard, "p" + std::to_string(i) + ".test", 10, now);
    CHECK(guess(guard, "new.test", 1200, now) == 1000);
    CHECK(guess(guard, "newer.test", 1, now) == 0);
    CHECK(guess(guard, "p1.test", 1, now) == 1);
    CHECK(guard.remembered() == HarvestGuard::kPeers + 1);
    // Those that are good again make room; not while something of theirs is being looked up.
    const auto slow = guard.ask("p2.test", 1, now + 1h);
    CHECK(guess(guard, "newer.test", 1, now + 1h) == 1);
    CHECK(guard.remembered() == 2);
    guard.answered(slow, 1, now + 1h);
    CHECK(guess(guard, "p2.test", 1200, now + 1h) == 999);
}
