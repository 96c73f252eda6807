// What goes by SMTP after all, and what must not.
#include "queue/delivery/fallback.hpp"

#include "support/queue/fixture.hpp"

using namespace support;
using namespace std::chrono_literals;

namespace {

queue::Router router_with(queue::LaneRule rule) {
    return queue::Router({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, {},
                         queue::LanePolicy({}, {{domain("b.test"), rule}}));
}

std::string text_of(StoreFixture& store_of, queue::QueueId id) {
    return store_of
        .transact([&](queue::Store& store) -> base::Result<std::string> {
            queue::Query find =
                store.database().query("SELECT state, reply FROM recipient WHERE message = ?1"_sql);
            if (!find.bind(id.value).step()) return std::string("none");
            return std::to_string(find.integer(0)) + " " + find.text(1);
        })
        .value();
}

}  // namespace

TEST_CASE("mail that has waited too long for its peer goes by SMTP, newer mail waits on") {
    StoreFixture queue;
    queue.use_router(router_with({false, 1h}));
    const auto old = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.advance(59min);
    queue.add(arrival("alice@a.test", {"carol@b.test"}));
    const auto defer = [&](std::optional<base::SteadyPoint> since) {
        auto why = unreachable();
        why.since = since;
        return queue.defer(kToB, why, queue.clock.now() + 1min);
    };
    CHECK(defer({}).empty());
    queue.clock.advance(1min);
    CHECK(defer({}) == queue::DueNow{kRelay});
    const auto relayed = queue.lease(kRelay, kOneByOne);
    REQUIRE(relayed.size() == 1);
    CHECK(relayed[0].id == old);
    // The peer has been out for so long that new mail need not try.
    CHECK(defer(queue.clock.steady() - 1h) == queue::DueNow{kRelay});
    CHECK(queue.lease(kRelay, kOneByOne).size() == 1);
}

TEST_CASE("what may have been sent is called back before it falls back") {
    StoreFixture queue;
    queue.use_router(router_with({false, 1h}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto sent = queue.lease();
    queue.settle({all(sent[0], unreachable())});
    queue.clock.advance(2h);
    CHECK(queue.defer(kToB, unreachable(), queue.clock.now() + 1min).empty());
    queue.clock.advance(2min);
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    REQUIRE(again[0].call_back);
    CHECK(again[0].transfer->key == sent[0].transfer->key);
    queue.settle({all(again[0], queue::Rerouted{*again[0].call_back})});
    CHECK(queue.lease(kRelay, kOneByOne).size() == 1);
}

TEST_CASE("a peer that answers and defers again and again is given up, too") {
    StoreFixture queue;
    queue.use_router(router_with({false, 1h}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    auto greylisted = unreachable();
    greylisted.settled = true;
    queue.settle({all(first[0], greylisted)});
    queue.clock.advance(1h);  // that much, and no less
    CHECK(queue.lease().empty());
    CHECK(queue.lease(kRelay, kOneByOne).size() == 1);
}

TEST_CASE("mail that waits for a peer whose domain has become ours is delivered here") {
    StoreFixture queue;
    const auto waits = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.add(arrival("alice@a.test", {"carol@b.test"}));
    const auto sent = queue.lease(kToB, kOneByOne);
    REQUIRE(sent.size() == 1);
    queue.settle({all(sent[0], unreachable())});
    // What was required of the way to the peer does not keep it back.
    queue.use_router(queue::Router(
        {{domain("a.test"), "mail.a.test"}, {domain("b.test"), "mail.a.test"}}, "mail.a.test", {},
        {}, queue::LanePolicy({}, {{domain("b.test"), {true, {}}}})));
    CHECK_FALSE(queue::must_wait(queue.store().router(), kToB, "b.test is served here"));
    CHECK(queue.reroute(kToB, "b.test is served here") == queue::DueNow{kLocal});
    CHECK(queue.lease(kLocal, kOneByOne).size() == 1);
    // The other may have arrived at the peer, which has to let go of it.
    queue.clock.advance(1h);
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    CHECK(again[0].id == waits);
    queue.settle({all(again[0], queue::Rerouted{"b.test is served here"})});
    CHECK(queue.lease(kLocal, kOneByOne).size() == 1);
    CHECK(queue.lease(kRelay, kOneByOne).empty());
}

TEST_CASE("mail that was never tried is tried, however old it is") {
    StoreFixture queue;
    queue.use_router(router_with({false, 1h}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.advance(2h);
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("where XMPP is required, mail waits and is returned, and never goes by SMTP") {
    StoreFixture queue;
    queue.use_router(router_with({true, 1h}));
    const auto waits = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto waits_for =
        queue::must_wait(queue.store().router(), kToB, "b.test takes no mail over XMPP");
    REQUIRE(waits_for);
    CHECK(queue.defer(kToB, *waits_for, queue.clock.now() + 1min).empty());
    CHECK(text_of(queue, waits)
              .find("3 mail to b.test goes over XMPP or not at all (policy = "
                    "require): b.test takes no mail over XMPP") == 0);
    queue.clock.advance(3h);
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK_FALSE(leased[0].call_back);
    // A limit of the hop, which SMTP may not have.
    queue.settle({all(leased[0], queue::Rerouted{"larger than mail.b.test takes"})});
    CHECK(queue.lease(kRelay, kOneByOne).empty());
    CHECK(text_of(queue, waits).starts_with("7 mail to b.test goes over XMPP or not at all"));
    const auto bounce = queue.lease(kLocal, kOneByOne);
    REQUIRE(bounce.size() == 1);
    CHECK(bounce[0].content.bytes().find("policy = require") != std::string_view::npos);
}
