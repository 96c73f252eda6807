#include "queue/delivery/agenda.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

queue::Destination to(const std::string& name) {
    return {queue::Lane::xmpp, "mail.a.test", name};
}

struct Desk {
    ManualClock clock;
    SeededRandom random;
    queue::Agenda agenda{{8s, 64s}, clock, random};

    /// Destinations whose mail waits for `peer`, or for a peer that is not known yet.
    std::vector<queue::Destination> waiting_for(const std::string& peer) const {
        auto all = agenda.behind_peer(peer, {}, 100);
        for (const auto& each : agenda.behind_peer("", {}, 100))
            all.push_back(each);
        std::erase_if(all, [&](const auto& each) { return !agenda.waits(each); });
        return all;
    }
    /// One look at what is due: how many destinations that were.
    std::size_t look(const std::function<void(const queue::Destination&)>& what) {
        const auto started = agenda.start();
        for (const auto& destination : started) {
            what(destination);
            agenda.end(destination, clock.now());
        }
        return started.size();
    }
};

}  // namespace

TEST_CASE("what is due longest goes first, and never more than there are places for") {
    Desk desk;
    const auto count = base::limits::kDestinationsAtWork + 10;
    for (std::size_t i = 0; i < count; ++i)
        desk.agenda.expect(to("d" + std::to_string(i) + ".test"),
                           desk.clock.now() - std::chrono::seconds(i));
    desk.agenda.arrived(kLocal);
    const auto first = desk.agenda.start();
    CHECK(first.size() == base::limits::kDestinationsAtWork + 1);
    CHECK(first.front().domain == "d209.test");
    CHECK(desk.agenda.is_crowded());
    // Mail of our own MTA needs no place.
    CHECK(std::ranges::find(first, kLocal) != first.end());
    CHECK(desk.agenda.start().empty());
    desk.agenda.end(first.front(), std::nullopt);
    CHECK(desk.agenda.start().size() == 1);
}

TEST_CASE("new mail, and mail for a peer that is there, is not behind all that are not") {
    const auto old_ones = [](Desk& desk) {
        for (std::size_t i = 0; i < 2 * base::limits::kDestinationsAtWork; ++i)
            desk.agenda.expect(to("dead" + std::to_string(i) + ".test"), desk.clock.now() - 24h);
        CHECK(desk.agenda.start().size() == base::limits::kDestinationsAtWork);
        CHECK(desk.agenda.start().empty());
    };
    SECTION("new mail") {
        Desk desk;
        old_ones(desk);
        desk.agenda.arrived(to("new.test"));
        CHECK(desk.agenda.start() == std::vector{to("new.test")});
        // Of a peer that is there the rest goes on, too ...
        desk.agenda.reached(to("new.test"));
        desk.agenda.end(to("new.test"), desk.clock.now());
        CHECK(desk.agenda.start() == std::vector{to("new.test")});
        // ... and of one that is not, it waits with the others.
        desk.agenda.missed(to("new.test"), unreachable());
        desk.agenda.end(to("new.test"), desk.clock.now());
        desk.clock.advance(24h);
        CHECK(desk.agenda.start().empty());
        desk.agenda.arrived(to("new.test"));
        CHECK(desk.agenda.start().empty());
        CHECK(desk.agenda.is_crowded());
    }
    SECTION("a flood of it leaves the others places") {
        Desk desk;
        for (std::size_t i = 0; i < 2 * base::limits::kDestinationsAtWork; ++i)
            desk.agenda.arrived(to("new" + std::to_string(i) + ".test"));
        CHECK(desk.agenda.start().size() == base::limits::kDestinationsAtWork);
        for (int i = 0; i < 1000; ++i)
            desk.agenda.expect(to("dead" + std::to_string(i) + ".test"), desk.clock.now());
        const auto others = desk.agenda.start();
        CHECK(others.size() == base::limits::kDestinationsAtWork / 4);
        CHECK(others.front().domain.starts_with("dead"));
        // Each place goes back to whom it was taken from.
        desk.agenda.end(others.front(), std::nullopt);
        CHECK(desk.agenda.start().front().domain.starts_with("dead"));
        desk.agenda.end(to("new0.test"), std::nullopt);
        CHECK(desk.agenda.start().front().domain.starts_with("new"));
    }
}

TEST_CASE("new mail is not behind all that waits when our own link comes up") {
    Desk desk;
    for (std::size_t i = 0; i < 2 * base::limits::kDestinationsAtWork; ++i) {
        desk.agenda.expect(to("dead" + std::to_string(i) + ".test"), desk.clock.now() + 1h);
        desk.agenda.wake(to("dead" + std::to_string(i) + ".test"));
    }
    const auto woken = desk.agenda.start();
    CHECK(woken.size() == base::limits::kDestinationsAtWork);
    CHECK_FALSE(desk.agenda.is_fresh(woken.front()));
    desk.agenda.arrived(to("new.test"));
    CHECK(desk.agenda.start() == std::vector{to("new.test")});
    CHECK(desk.agenda.is_fresh(to("new.test")));
}

TEST_CASE("the domains below one, of which nobody knows the peer yet, have a share together") {
    Desk desk;
    for (int i = 0; i < 100; ++i)
        desk.agenda.expect(to("d" + std::to_string(i) + ".dead.test"), desk.clock.now());
    CHECK(desk.agenda.start().size() == base::limits::kDestinationsOfOrganisation);
    desk.agenda.expect(to("b.test"), desk.clock.now());
    CHECK(desk.agenda.start() == std::vector{to("b.test")});
    desk.agenda.end(to("d0.dead.test"), std::nullopt);
    CHECK(desk.agenda.start().size() == 1);
}

TEST_CASE("one peer, however many domains it has, takes a few places only") {
    Desk desk;
    for (int i = 0; i < 30; ++i) {
        desk.agenda.arrived(to("d" + std::to_string(i) + ".test"));
        for (const auto& each : desk.agenda.start()) {
            desk.agenda.heads_for(each, "mail.b.test");
            desk.agenda.end(each, desk.clock.now());
        }
    }
    CHECK(desk.agenda.start().size() == base::limits::kDestinationsOfPeer);
    desk.agenda.arrived(to("c.test"));
    CHECK(desk.agenda.start() == std::vector{to("c.test")});
}

TEST_CASE("nor do all peers below one domain, whatever they are called") {
    Desk desk;
    for (int i = 0; i < 100; ++i) {
        desk.agenda.arrived(to("d" + std::to_string(i) + ".test"));
        for (const auto& each : desk.agenda.start()) {
            desk.agenda.heads_for(each, "x" + std::to_string(i) + ".evil.test");
            desk.agenda.end(each, desk.clock.now());
        }
    }
    const auto started = desk.agenda.start();
    CHECK(started.size() == base::limits::kDestinationsOfOrganisation);
    desk.agenda.end(started[0], std::nullopt);
    CHECK(desk.agenda.start().size() == 1);
}

TEST_CASE("what one destination finds out of its peer, the others behind it need not") {
    Desk desk;
    for (const char* const name : {"one.test", "two.test"})
        desk.agenda.arrived(to(name));
    desk.look([&](const auto& each) { desk.agenda.heads_for(each, "mail.b.test"); });
    const auto started = desk.agenda.start();
    REQUIRE(started.size() == 2);
    CHECK_FALSE(desk.agenda.pause_of(to("two.test")));
    const auto until = desk.agenda.missed(to("one.test"), unreachable());
    const auto pause = desk.agenda.pause_of(to("two.test"));
    REQUIRE(pause);
    CHECK(pause->until == until);
    CHECK(pause->why.reply == unreachable().reply);
    // Both waited for the same silence: it counts once.
    CHECK(desk.agenda.missed(to("two.test"), unreachable()) == until);
    CHECK(desk.agenda.silent_peers({}, 100) ==
          std::vector<queue::Agenda::SilentPeer>{{"mail.a.test", "mail.b.test"}});
    CHECK(desk.agenda.all_are_silent());

    desk.agenda.reached(to("one.test"));
    CHECK_FALSE(desk.agenda.pause_of(to("two.test")));
    CHECK_FALSE(desk.agenda.all_are_silent());
}

TEST_CASE("silence is waited out for longer and longer, and ends when the peer is back") {
    Desk desk;
    desk.agenda.arrived(kToB);
    base::TimePoint until;
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 6; ++i) {
        CHECK(desk.look([&](const auto& each) {
            desk.agenda.heads_for(each, "mail.b.test");
            until = desk.agenda.missed(each, unreachable());
        }) == 1);
        CHECK(desk.agenda.start().empty());
        CHECK(desk.agenda.next() == base::steady_at(desk.clock, until));
        waits.push_back(std::chrono::ceil<std::chrono::seconds>(until - desk.clock.now()));
        desk.clock.set(until);
    }
    CHECK(waits[0] > 6s);
    CHECK(waits[0] <= 8s);
    CHECK(waits[1] > waits[0]);
    CHECK(waits[5] > 55s);
    CHECK(waits[5] <= 64s);

    desk.look([&](const auto& each) { desk.agenda.missed(each, unreachable()); });
    CHECK(desk.waiting_for("mail.b.test") == std::vector{kToB});
    CHECK(desk.waiting_for("mail.c.test").empty());
    desk.agenda.wake(kToB);
    CHECK(desk.agenda.start() == std::vector{kToB});
}

TEST_CASE("signs of life that lead to nothing are heeded less and less, until somebody answers") {
    Desk desk;
    desk.agenda.arrived(kToB);
    int tries = 0;
    // Somebody who gives a sign of life whenever mail waits for it, and answers no mail.
    const auto goad = [&](std::chrono::seconds time) {
        tries = 0;
        for (const auto end = desk.clock.now() + time; desk.clock.now() < end;
             desk.clock.advance(100ms)) {
            for (const auto& each : desk.waiting_for("mail.b.test")) {
                if (desk.agenda.may_wake(each)) desk.agenda.wake_by_sign(each);
            }
            desk.look([&](const auto& each) {
                ++tries;
                desk.agenda.heads_for(each, "mail.b.test");
                desk.agenda.missed(each, unreachable());
            });
        }
    };
    goad(40s);
    CHECK(tries >= 4);
    CHECK(tries <= 14);
    goad(10min);
    // Hardly more often than once in 64 s by itself, and as often again for a sign of life.
    CHECK(tries <= 2 * 10 + 2);
    desk.agenda.wake(kToB);
    desk.look([&](const auto& each) { desk.agenda.reached(each); });
    CHECK(desk.agenda.may_wake(kToB));
}

TEST_CASE("a peer that was a moment too early with its sign of life is tried at the next one") {
    Desk desk;
    desk.agenda.arrived(kToB);
    const auto misses = [&](const auto& each) {
        desk.agenda.heads_for(each, "mail.b.test");
        desk.agenda.missed(each, unreachable());
    };
    desk.look(misses);
    REQUIRE(desk.agenda.may_wake(kToB));
    desk.agenda.wake_by_sign(kToB);
    CHECK(desk.look(misses) == 1);
    CHECK(desk.agenda.may_wake(kToB));
}

TEST_CASE("our own MTA is asked again soon, and its silence says nothing of peers") {
    Desk desk;
    desk.agenda.arrived(kLocal);
    for (int i = 0; i < 8; ++i) {
        const auto started = desk.agenda.start();
        REQUIRE(started == std::vector{kLocal});
        desk.agenda.heads_for(kLocal, "smtp:127.0.0.1:2526");
        const auto until = desk.agenda.missed(kLocal, unreachable());
        CHECK(until - desk.clock.now() <= base::limits::kOwnMtaPause);
        desk.agenda.end(kLocal, until);
        desk.clock.set(until);
    }
    CHECK_FALSE(desk.agenda.all_are_silent());
    CHECK(desk.agenda.silent_peers({}, 100).empty());
}

TEST_CASE(
    "mail that comes while a look is under way is looked at, and what has none is forgotten") {
    Desk desk;
    desk.agenda.arrived(kToB);
    REQUIRE(desk.agenda.start().size() == 1);
    desk.agenda.arrived(kToB);
    desk.agenda.end(kToB, std::nullopt);
    REQUIRE(desk.agenda.start().size() == 1);
    desk.agenda.end(kToB, std::nullopt);
    CHECK(desk.agenda.start().empty());
    CHECK_FALSE(desk.agenda.next());
}

TEST_CASE("the first two signs of life in vain cost nothing, and an answer clears the count") {
    Desk desk;
    desk.agenda.arrived(kToB);
    const auto vain = [&] {
        REQUIRE(desk.agenda.may_wake(kToB));
        desk.agenda.wake_by_sign(kToB);
        REQUIRE(desk.look([&](const auto& each) {
            desk.agenda.heads_for(each, "mail.b.test");
            desk.agenda.missed(each, unreachable());
        }) == 1);
    };
    for (int round = 0; round < 2; ++round) {
        vain();
        vain();
        CHECK(desk.agenda.may_wake(kToB));
        vain();
        CHECK_FALSE(desk.agenda.may_wake(kToB));
        desk.clock.advance(1s);
        // Asleep for a second after the third one, and for two after the fourth.
        vain();
        desk.clock.advance(1s);
        CHECK_FALSE(desk.agenda.may_wake(kToB));
        desk.clock.advance(64s);
        desk.look([&](const auto& each) { desk.agenda.reached(each); });
    }
}

TEST_CASE("new mail for a peer that is out does not have it tried before its time") {
    Desk desk;
    desk.agenda.arrived(kToB);
    base::TimePoint until;
    desk.look([&](const auto& each) {
        desk.agenda.heads_for(each, "mail.b.test");
        until = desk.agenda.missed(each, unreachable());
    });
    desk.agenda.arrived(kToB);
    CHECK(desk.agenda.start().empty());
    CHECK(desk.agenda.next() == base::steady_at(desk.clock, until));
    desk.clock.set(until);
    CHECK(desk.agenda.start() == std::vector{kToB});
}

TEST_CASE("after a restart, mail of which it is not known where it goes waits for everybody") {
    Desk desk;
    desk.agenda.expect(kToB, desk.clock.now() + 10s);
    desk.agenda.expect(kLocal, desk.clock.now() + 10s);
    CHECK(desk.waiting_for("mail.c.test") == std::vector{kToB});
    desk.clock.advance(10s);
    desk.look([&](const auto& each) {
        if (each == kToB) {
            desk.agenda.heads_for(each, "mail.b.test");
            desk.agenda.missed(each, unreachable());
        }
    });
    CHECK(desk.waiting_for("mail.c.test").empty());
    CHECK(desk.waiting_for("mail.b.test") == std::vector{kToB});
}

TEST_CASE(
    "what finds no place stands aside: a look at the agenda is bounded, however many are due") {
    constexpr int kDomains = 5000;
    Desk desk;
    const bool one_peer = GENERATE(true, false);
    for (int i = 0; i < kDomains; ++i) {
        desk.agenda.arrived(to("d" + std::to_string(i) + ".test"));
        for (const auto& each : desk.agenda.start()) {
            desk.agenda.heads_for(each, (one_peer ? "mail" : "x" + std::to_string(i)) + ".b.test");
            desk.agenda.end(each, desk.clock.now() + 10s);
        }
    }
    desk.clock.advance(10s);
    const std::size_t most =
        one_peer ? base::limits::kDestinationsOfPeer : base::limits::kDestinationsOfOrganisation;
    std::vector<queue::Destination> at_work = desk.agenda.start();
    CHECK(at_work.size() == most);
    // It has not seen all, and says so; other work of the loop comes first.
    CHECK(desk.agenda.next() == desk.clock.steady());
    int looks = 1;
    while (desk.agenda.next() && ++looks < 100)
        CHECK(desk.agenda.start().empty());
    CHECK(looks > 2);
    CHECK(looks < 10);
    // From now on a look sees those only for which there is room.
    desk.agenda.arrived(to("other.test"));
    CHECK(desk.agenda.start() == std::vector{to("other.test")});
    for (int i = 0; i < 100; ++i) {
        desk.agenda.end(at_work.back(), std::nullopt);
        at_work.pop_back();
        const auto started = desk.agenda.start();
        REQUIRE(started.size() == 1);
        CHECK_FALSE(desk.agenda.next());
        at_work.insert(at_work.begin(), started[0]);
    }
}

TEST_CASE("who stands aside for its organisation's share does not keep others of it back") {
    Desk desk;
    const auto go_to = [&](const std::string& name, const std::string& peer) {
        desk.agenda.arrived(to(name));
        for (const auto& each : desk.agenda.start()) {
            desk.agenda.heads_for(each, peer);
            desk.agenda.end(each, desk.clock.now() + 10s);
        }
    };
    for (int i = 0; i < 40; ++i)
        go_to("a" + std::to_string(i) + ".test", "one.b.test");
    for (int i = 0; i < 3; ++i)
        go_to("z" + std::to_string(i) + ".test", "two.b.test");
    desk.clock.advance(10s);
    const auto started = desk.agenda.start();
    // Eight of the one, and all of the other.
    CHECK(started.size() == base::limits::kDestinationsOfPeer + 3);
    // A new peer of the organisation finds room, too.
    go_to("y.test", "three.b.test");
    desk.clock.advance(10s);
    CHECK(desk.agenda.start() == std::vector{to("y.test")});
}

TEST_CASE("destinations are named in slices, each behind the one before") {
    Desk desk;
    for (int i = 0; i < 25; ++i)
        desk.agenda.arrived(to("d" + std::to_string(i) + ".test"));
    desk.agenda.arrived({queue::Lane::xmpp, "other.a.test", "x.test"});
    desk.agenda.arrived({queue::Lane::report, "mail.a.test", "mail.c.test"});
    desk.agenda.arrived(kLocal);
    std::set<queue::Destination> seen;
    queue::Agenda::After after;
    for (;;) {
        const auto slice = desk.agenda.sent_by("mail.a.test", after, 10);
        seen.insert(slice.begin(), slice.end());
        if (slice.size() < 10) break;
        after = slice.back();
    }
    CHECK(seen.size() == 26);
    CHECK(desk.agenda.behind_peer("", {}, 100).size() == 26);
    CHECK(desk.agenda.behind_peer("mail.c.test", {}, 100).size() == 1);
}

TEST_CASE("no wait is longer or shorter for a clock that is set, to whatever time") {
    for (const auto by : {-24h, 24h, -24h * 365, 24h * 365}) {
        Desk desk;
        desk.agenda.arrived(kLocal);
        std::chrono::milliseconds wait{};
        CHECK(desk.look([&](const auto& each) {
            wait = desk.agenda.missed(each, unreachable()) - desk.clock.now();
        }) == 1);
        desk.clock.jump(by);
        desk.clock.advance(wait - 1ms);
        CHECK(desk.agenda.start().empty());
        desk.clock.advance(1ms);
        CHECK(desk.agenda.start() == std::vector{kLocal});
    }
}

TEST_CASE("what is said to be due later than anything waits is due") {
    Desk desk;
    desk.agenda.expect(kToB, desk.clock.now() + 24h * 358);
    CHECK(desk.agenda.start() == std::vector{kToB});
    desk.agenda.end(kToB, desk.clock.now() + 24h * 358);
    CHECK(desk.agenda.start() == std::vector{kToB});
    desk.agenda.end(kToB, desk.clock.now() + 64s);
    CHECK(desk.agenda.start().empty());
}

TEST_CASE("while peers are held back, our own MTA is not") {
    Desk desk;
    const base::SteadyPoint until = desk.clock.steady() + 3s;
    desk.agenda.hold_peers_until(until);
    desk.agenda.expect(to("waiting.test"), desk.clock.now() - 1h);
    desk.agenda.arrived(to("new.test"));
    desk.agenda.arrived(kReportToB);
    desk.agenda.arrived(kLocal);
    CHECK(desk.agenda.start() == std::vector{kLocal});
    CHECK(desk.agenda.start().empty());
    CHECK(desk.agenda.next() == until);
    desk.clock.advance(2999ms);
    CHECK(desk.agenda.start().empty());
    SECTION("until it is time") {
        desk.clock.advance(1ms);
    }
    SECTION("until they are let go") {
        desk.agenda.hold_peers_until(desk.clock.steady());
    }
    CHECK(desk.agenda.start().size() == 3);
    CHECK_FALSE(desk.agenda.next());
}
