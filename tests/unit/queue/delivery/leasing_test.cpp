// What becomes of a message that is due, decided without a queue.
#include "queue/delivery/leasing.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

const base::TimePoint kLeasedAt{std::chrono::hours(24 * 365 * 50)};

queue::Router router_by(queue::LaneRule rule) {
    return queue::Router({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, {},
                         queue::LanePolicy(rule, {}));
}

/// A message that came two hours ago, and what is asked of it.
struct Case {
    queue::Due due{kLeasedAt - 2h, 100, false, true, false, false};
    queue::LeaseSoFar lease;
    queue::Ready ready = kReadyB;
    queue::LaneRule rule;
    bool is_believed = true;

    queue::Judgement judge() const {
        queue::Moment moment;
        moment.now = kLeasedAt;
        moment.is_believed = is_believed;
        return queue::judge(due, lease, kToB, ready, router_by(rule), moment);
    }
    template <class T>
    bool is() const {
        return std::holds_alternative<T>(judge());
    }
};

}  // namespace

TEST_CASE("what is due is given out") {
    Case due;
    const auto given = std::get<queue::GivenOut>(due.judge());
    CHECK_FALSE(given.call_back);
    CHECK_FALSE(given.is_last);
}

TEST_CASE(
    "mail that has waited for its peer for too long goes around, called back if it was sent") {
    Case due;
    due.rule.fallback_after = 1h;
    CHECK(std::get<queue::Rerouted>(due.judge()).why ==
          "not taken over XMPP in time (fallback-after)");
    due.due.was_sent = true;
    CHECK(std::get<queue::GivenOut>(due.judge()).call_back ==
          "not taken over XMPP in time (fallback-after)");
    SECTION("what was never tried is tried") {
        due.due.was_tried = false;
        CHECK_FALSE(std::get<queue::GivenOut>(due.judge()).call_back);
    }
    SECTION("a clock that is not believed changes no way") {
        due.is_believed = false;
        CHECK_FALSE(std::get<queue::GivenOut>(due.judge()).call_back);
    }
    SECTION("where XMPP is required, it waits") {
        due.rule.required = true;
        CHECK_FALSE(std::get<queue::GivenOut>(due.judge()).call_back);
    }
}

TEST_CASE("where nothing new is to go, only what was sent is given out, to be called back") {
    Case due;
    due.ready.call_back = "b.test takes no mail";
    CHECK(due.is<queue::PassedOver>());
    due.due.was_sent = true;
    due.rule.fallback_after = 1h;
    CHECK(std::get<queue::GivenOut>(due.judge()).call_back == "b.test takes no mail");
}

TEST_CASE("a lease has its bytes, though its first message may be larger") {
    Case due;
    due.ready.limits.bytes = 150;
    due.due.size = 1000;
    CHECK(due.is<queue::GivenOut>());
    due.lease = {1, 100};
    due.due.size = 50;
    CHECK(due.is<queue::GivenOut>());
    due.due.size = 51;
    CHECK(due.is<queue::NoRoom>());
}

TEST_CASE("what may have ended the process goes alone, and one at a time") {
    Case due;
    due.due.goes_alone = true;
    CHECK(std::get<queue::GivenOut>(due.judge()).is_last);
    due.lease = {1, 1};
    CHECK(due.is<queue::NoRoom>());
    due.lease = {};
    due.due.has_to_wait = true;
    CHECK(due.is<queue::KeptBack>());
}

TEST_CASE("a transfer expires with its message, within what its peer keeps, with time for a try") {
    CHECK(queue::transfer_expiry(kLeasedAt + 5h, 24h * 7, kLeasedAt) == kLeasedAt + 5h);
    CHECK(queue::transfer_expiry(kLeasedAt + 24h * 30, 24h * 7, kLeasedAt) <= kLeasedAt + 24h * 7);
    CHECK(queue::transfer_expiry(kLeasedAt + 24h * 30, 80h, kLeasedAt) == kLeasedAt + 70h);
    CHECK(queue::transfer_expiry(kLeasedAt - 24h, 24h * 7, kLeasedAt) == kLeasedAt + 1h);
}

TEST_CASE("an envelope takes as many recipients as fit, one at least") {
    mail::Envelope envelope;
    for (std::uint32_t n = 0; n < 3; ++n)
        envelope.recipients.push_back({n, mailbox("bob@b.test"), {}, ""});
    queue::EnvelopeLimit limit;
    CHECK(queue::recipients_that_fit(envelope, limit, true) == 3);
    limit.of_head = [](const mail::Envelope&, bool) -> std::size_t { return 10; };
    limit.of_recipient = [](const mail::Recipient&, bool) -> std::size_t { return 5; };
    limit.bytes = 20;
    CHECK(queue::recipients_that_fit(envelope, limit, true) == 2);
    limit.bytes = 1;
    CHECK(queue::recipients_that_fit(envelope, limit, true) == 1);
}
