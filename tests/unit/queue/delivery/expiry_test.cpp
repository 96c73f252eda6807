// Mail whose time is up has a last try before it is given up.
#include "queue/delivery/expiry.hpp"

#include "queue/sqlite/admin/operations.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

struct Old : StoreFixture {
    Old() { id = add(arrival("alice@a.test", {"bob@b.test"})); }
    void put_off(const queue::Deferred& why, base::TimePoint found) {
        const queue::Silence silence{why, clock.now() + 60s, found};
        transact([&](queue::Store& s) { return queue::defer_some(s, kToB, silence); }).value();
    }
    std::int64_t ended() { return count("SELECT COUNT(*) FROM recipient WHERE state = 8"); }
    std::string report() {
        const auto reports = lease(kLocal, kOneByOne);
        return reports.empty() ? "" : std::string(reports[0].content.bytes());
    }
    queue::QueueId id;
};

queue::Deferred untried() {
    auto why = unreachable();
    why.tried = false;
    return why;
}

}  // namespace

TEST_CASE("mail that was held for longer than its time is tried once more when it is released") {
    Old queue;
    const auto operate = [&](queue::Verb verb) {
        queue.transact([&](queue::Store& s) { return queue::operate(s, verb, {}, {}); }).value();
    };
    operate(queue::Verb::hold);
    queue.clock.advance(24h * 6);
    operate(queue::Verb::release);
    const auto last = queue.lease();
    REQUIRE(last.size() == 1);
    // Its peer takes no transfer that has expired.
    CHECK(last[0].transfer->expires >= queue.clock.now() + 1h);
    SECTION("and arrives") {
        queue.settle({all(last[0], delivered())});
        CHECK(queue.report().empty());
    }
    SECTION("or is given up, with what that try said") {
        queue.settle({all(last[0], unreachable())});
        CHECK(queue.ended() == 1);
        CHECK(queue.report().find("no answer") != std::string::npos);
    }
}

TEST_CASE("what a restart finds expired is tried first") {
    Old queue;
    queue.clock.advance(24h * 6);
    queue.reopen();
    const auto last = queue.lease();
    REQUIRE(last.size() == 1);
    SECTION("silence right after the start may be ours") {
        queue.settle({all(last[0], unreachable())});
        CHECK(queue.ended() == 0);
        CHECK(queue::next_due(queue.store(), kToB) > queue.clock.now());
        queue.clock.advance(10s);
        queue.settle({all(queue.lease().at(0), unreachable())});
    }
    SECTION("a word of the peer is one") {
        queue.settle(
            {all(last[0], queue::Deferred{reply(451, "4.3.0", "no"), "mail.b.test", true, {}})});
    }
    CHECK(queue.ended() == 1);
}

TEST_CASE("the finding of another counts as a try if it was made after the time was up") {
    Old queue;
    const auto end = queue.clock.now() + 24h * 5;
    queue.clock.set(end + 1h);
    queue.put_off(unreachable(), end - 1s);
    CHECK(queue.ended() == 0);
    queue.clock.advance(60s);
    queue.put_off(unreachable(), end);
    CHECK(queue.ended() == 1);
    CHECK(queue.report().find("no answer") != std::string::npos);
}

TEST_CASE("while our own link is down nothing is tried, and so nothing given up for a while") {
    Old queue;
    queue.clock.advance(24h * 6);
    queue.reopen();
    const auto most = 64s;  // the longest retry
    queue.put_off(untried(), queue.clock.now());
    queue.clock.advance(most - 1s);
    queue.put_off(untried(), queue.clock.now());
    CHECK(queue.ended() == 0);
    queue.clock.advance(61s);
    queue.put_off(untried(), queue.clock.now());
    CHECK(queue.ended() == 1);
}

TEST_CASE("what has to go under a new id, or was being stopped, has its last try still before it") {
    Old queue;
    const auto first = queue.lease();
    queue.settle({all(first.at(0), unreachable())});
    queue.clock.advance(24h * 6);
    const auto over = queue.lease();
    REQUIRE(over.size() == 1);
    // What may have been sent is asked for under its own id, as it was: exactly once.
    CHECK(over[0].transfer->key == first[0].transfer->key);
    CHECK(over[0].transfer->expires == first[0].transfer->expires);
    auto anew = untried();
    anew.settled = true;
    queue.settle({all(over[0], anew)});
    CHECK(queue.ended() == 0);
    CHECK(queue.lease().empty());
    queue.clock.advance(10s);
    const auto last = queue.lease();
    REQUIRE(last.size() == 1);
    CHECK(last[0].transfer->key != first[0].transfer->key);
    CHECK(last[0].transfer->expires > queue.clock.now());
    queue.settle({all(last[0], unreachable())});
    CHECK(queue.ended() == 1);
}

TEST_CASE("a peer's mail for our own mail server has its last try as well") {
    StoreFixture queue;
    auto mail = from_peer();
    mail.expires_at = queue.clock.now() + 1h;
    queue.add(mail);
    queue.clock.advance(24h);
    const auto last = queue.lease(kLocal, kOneByOne);
    REQUIRE(last.size() == 1);
    queue.settle({all(last[0], unreachable())});
    CHECK(queue.lease(kReportToB, kOneByOne).size() == 1);
}
