// What an outcome makes of a recipient, decided without a queue.
#include "queue/delivery/settling.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

const base::TimePoint kNow{std::chrono::hours(24 * 365 * 50)};

queue::Moment moment() {
    queue::Moment moment;
    moment.now = kNow;
    moment.steady = base::SteadyPoint(1h);
    moment.opened_at = base::SteadyPoint(0h);
    moment.retry = {10s, 64s};
    return moment;
}

/// To a peer, and tried once.
queue::Attempted recipient() {
    queue::Attempted attempted;
    attempted.destination = kToB;
    attempted.attempts = 1;
    attempted.was_sent = true;
    attempted.expires_at = kNow + 1h;
    return attempted;
}

queue::Transition transition(const queue::Attempted& recipient, const queue::Outcome& outcome,
                             const queue::Moment& moment = ::moment(),
                             const queue::Router& router = a_test_router()) {
    SeededRandom random;
    return queue::transition(recipient, outcome, router, moment, random);
}

queue::Ended ended(const queue::Transition& transition) {
    const auto* const found = std::get_if<queue::Ended>(&transition);
    REQUIRE(found != nullptr);
    return *found;
}

queue::Deferred refused_for_now() {
    return {reply(451, "4.3.0", "not now"), "mail.b.test", true, {}};
}

}  // namespace

TEST_CASE("what the next hop took is relayed, and what our own server took is delivered") {
    auto to = recipient();
    CHECK(ended(transition(to, delivered())).state == queue::State::relayed);
    to.destination = kLocal;
    CHECK(ended(transition(to, delivered())).state == queue::State::delivered);
}

TEST_CASE("who asked for it hears of success from us, unless the next hop tells them") {
    auto to = recipient();
    auto outcome = delivered();
    const auto action = [&]() -> std::optional<mail::Action> {
        const auto notice = ended(transition(to, outcome)).notice;
        return notice ? std::optional(notice->action) : std::nullopt;
    };
    to.wants_success = true;
    CHECK_FALSE(action());
    outcome.handover = queue::Handover::relayed;
    CHECK(action() == mail::Action::relayed);
    outcome.handover = queue::Handover::delivered;
    CHECK(action() == mail::Action::delivered);
    to.wants_success = false;
    CHECK_FALSE(action());
}

TEST_CASE("what is deferred is tried again, no later than its time is up") {
    auto to = recipient();
    const auto due = [&](const queue::Deferred& why) {
        return std::get<queue::TriedAgain>(transition(to, why)).due;
    };
    CHECK(due(refused_for_now()) > kNow);
    CHECK(due(refused_for_now()) <= kNow + 10s);
    to.attempts = 20;
    CHECK(due(refused_for_now()) > kNow + 50s);
    auto untried = unreachable();
    untried.tried = false;
    CHECK(due(untried) <= kNow + 10s);
    to.expires_at = kNow + 3s;
    CHECK(due(refused_for_now()) == kNow + 3s);
}

TEST_CASE("it is given up by a try after its time was up, if the clock is believed") {
    auto to = recipient();
    to.expires_at = kNow;
    auto now = moment();
    const auto is_given_up = [&](const queue::Deferred& why) {
        return std::holds_alternative<queue::Ended>(transition(to, why, now));
    };
    CHECK(is_given_up(refused_for_now()));
    CHECK(is_given_up(unreachable()));
    auto untried = refused_for_now();
    untried.tried = false;
    CHECK_FALSE(is_given_up(untried));
    // Silence right after the start may be ours.
    now.steady = now.opened_at + 9s;
    CHECK(is_given_up(refused_for_now()));
    CHECK_FALSE(is_given_up(unreachable()));
    now.is_believed = false;
    CHECK_FALSE(is_given_up(refused_for_now()));
}

TEST_CASE("the words for what has expired say what is certain, and are ours") {
    auto to = recipient();
    const auto last = unreachable();
    auto over = queue::expired(to, last);
    CHECK(over.state == queue::State::expired);
    CHECK(over.reply.to_text() ==
          "554 5.4.7 delivery time expired, and delivery can't be excluded; the last try said: "
          "451 4.4.1 no answer");
    CHECK(over.remote == last.remote);
    REQUIRE(over.notice);
    CHECK(over.notice->action == mail::Action::failed);
    CHECK(over.notice->remote.empty());
    to.was_sent = false;
    over = queue::expired(to, last);
    CHECK(over.reply.to_text() ==
          "554 5.4.7 delivery time expired; the last try said: 451 4.4.1 no answer");
}

TEST_CASE("a failure is the next hop's word, and its sender hears it") {
    const auto failure = failed();
    const auto over = ended(transition(recipient(), failure));
    CHECK(over.state == queue::State::bounced);
    REQUIRE(over.notice);
    CHECK(over.notice->reply.to_text() == failure.reply.to_text());
    CHECK(over.notice->remote == failure.remote);
}

TEST_CASE("what can't go over XMPP goes around, or is returned where XMPP is required") {
    const queue::Rerouted why{"larger than mail.b.test takes"};
    CHECK(std::get<queue::Rerouted>(transition(recipient(), why)).why == why.why);
    const queue::Router strict({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, {},
                               queue::LanePolicy({}, {{domain("b.test"), {true, {}}}}));
    const auto over = ended(transition(recipient(), why, moment(), strict));
    CHECK(over.state == queue::State::bounced);
    CHECK(over.reply.to_text() ==
          "550 5.7.0 mail to b.test goes over XMPP or not at all (policy = require): " + why.why);
}

TEST_CASE("what can't go over XMPP is returned where we have promised that all does") {
    const queue::Router router({{domain("a.test"), "mail.a.test"}}, "mail.a.test");
    router.bonds()->set_peer("b.test", "mail.b.test");
    router.bonds()->promise("mail.a.test", {"a.test"}, true, {});
    const queue::Rerouted why{"larger than mail.b.test takes"};
    auto to = recipient();
    // Others of the component, and reports, are refused by nobody.
    CHECK(std::holds_alternative<queue::Rerouted>(transition(to, why, moment(), router)));
    to.is_promised = true;
    const auto over = ended(transition(to, why, moment(), router));
    CHECK(over.state == queue::State::bounced);
    CHECK(over.reply.to_text() ==
          "550 5.7.1 mail to b.test goes over XMPP or not at all (we have promised that to it): " +
              why.why);
    router.bonds()->promise("mail.a.test", {"a.test"}, false, {});
    CHECK(std::holds_alternative<queue::Rerouted>(transition(to, why, moment(), router)));
}

TEST_CASE("what may go over XMPP later waits where that is required, and is not returned") {
    const queue::Router router({{domain("a.test"), "mail.a.test"}}, "mail.a.test");
    const queue::Rerouted why{"XMPP is switched off here", true};
    CHECK(std::holds_alternative<queue::Rerouted>(transition(recipient(), why, moment(), router)));
    router.bonds()->set_peer("b.test", "mail.b.test");
    router.bonds()->promise("mail.a.test", {"a.test"}, true, {});
    const auto waits = transition(recipient(), why, moment(), router);
    const auto* const again = std::get_if<queue::TriedAgain>(&waits);
    REQUIRE(again != nullptr);
    CHECK(again->why.settled);  // its transfer was called back
    CHECK(again->due > kNow);
}

TEST_CASE("what is held waits for an administrator, until its time is up") {
    auto to = recipient();
    const queue::Held held{reply(451, "4.3.0", "the content is damaged"), ""};
    CHECK(std::holds_alternative<queue::Held>(transition(to, held)));
    to.expires_at = kNow;
    CHECK(ended(transition(to, held)).state == queue::State::expired);
    auto now = moment();
    now.is_believed = false;
    CHECK(std::holds_alternative<queue::Held>(transition(to, held, now)));
}

TEST_CASE("an administrator sends back, with a report, or discards") {
    const auto back = queue::cancelled(false, true, "mx.a.test");
    CHECK(back.state == queue::State::bounced);
    CHECK(back.reply.to_text() == "554 5.0.0 the administrator of mx.a.test sent it back");
    REQUIRE(back.notice);
    CHECK(back.notice->action == mail::Action::failed);
    const auto gone = queue::cancelled(true, false, "mx.a.test");
    CHECK(gone.state == queue::State::discarded);
    CHECK(gone.reply.to_text() ==
          "554 5.0.0 the administrator of this host cancelled it; delivery can't be excluded");
    CHECK_FALSE(gone.notice);
}
