#include "queue/delivery/slowing_courier.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// Delivers whatever it is given.
class WillingCourier final : public queue::Courier {
  public:
    base::Task<queue::Readiness> prepare(queue::Destination, queue::Urgency) override {
        co_return queue::Readiness(kReadyB);
    }
    base::Task<void> deliver(queue::Destination, std::vector<queue::LeasedMessage> messages,
                             queue::Tell tell) override {
        ++calls;
        for (const auto& message : messages)
            tell(all(message, delivered()));
        co_return;
    }
    std::size_t concurrency() const override { return 7; }
    queue::LeaseLimits limits(const queue::Destination&, const queue::Ready&) override {
        return {42, 42, 42};
    }
    int calls = 0;
};

struct Slowing {
    Slowing() { slowed.note({"alice@a.test", "b.test", 1, 1}); }
    queue::LeasedMessage mail(std::int64_t id, const std::string& from = "Alice@a.test") const {
        queue::LeasedMessage message;
        message.id = queue::QueueId{id};
        if (!from.empty()) message.envelope.from = mailbox(from);
        message.envelope.recipients.push_back({0, mailbox("bob@b.test"), {}, ""});
        message.expires_at = clock.now() + 24h;
        return message;
    }
    /// What became of each, in the order in which it was told.
    std::vector<queue::MessageOutcome> deliver(std::vector<queue::LeasedMessage> messages,
                                               const queue::Destination& where = kToB) {
        std::vector<queue::MessageOutcome> told;
        const queue::Tell tell = [&](queue::MessageOutcome outcome) { told.push_back(outcome); };
        base::asio::io_context io;
        run<int>(io, [&]() -> base::Task<int> {
            co_await courier.deliver(where, std::move(messages), tell);
            co_return 0;
        });
        return told;
    }
    ManualClock clock;
    queue::SlowedSenders slowed{clock};
    WillingCourier willing;
    queue::SlowingCourier courier{willing, slowed, clock};
};

bool goes(const queue::MessageOutcome& outcome) {
    return std::holds_alternative<queue::Delivered>(outcome.recipients.at(0).outcome);
}

}  // namespace

TEST_CASE("mail of a sender that a domain complains of goes there one at a time") {
    Slowing a;
    auto told = a.deliver({a.mail(1), a.mail(2), a.mail(3, "eva@a.test")});
    REQUIRE(told.size() == 3);
    // What waits is told first.
    CHECK(told[0].id == queue::QueueId{2});
    CHECK_FALSE(told[0].sent);
    const auto& later = std::get<queue::Deferred>(told[0].recipients.at(0).outcome);
    CHECK(later.reply.status == mail::EnhancedStatus{4, 7, 1});
    CHECK(later.retry_after == 300s);
    CHECK(later.settled);
    CHECK_FALSE(later.tried);
    CHECK(goes(told[1]));
    CHECK(goes(told[2]));
    // All of it waits: nobody is asked for nothing.
    CHECK(a.willing.calls == 1);
    CHECK_FALSE(goes(a.deliver({a.mail(2)}).at(0)));
    CHECK(a.willing.calls == 1);
    a.clock.advance(5min);
    CHECK(goes(a.deliver({a.mail(2)}).at(0)));
    CHECK(goes(a.deliver({a.mail(4)}, {queue::Lane::xmpp, "mail.a.test", "c.test"}).at(0)));
}

TEST_CASE("what is not a sender's of ours to slow goes on") {
    Slowing a;
    CHECK(goes(a.deliver({a.mail(1)}).at(0)));
    auto sent = a.mail(2);
    sent.transfer =
        queue::OutgoingTransfer{{domain("a.test"), "01"}, "mail.b.test", true, {}, true};
    auto called_back = a.mail(3);
    called_back.call_back = "the peer retires";
    auto at_its_end = a.mail(4);
    at_its_end.expires_at = a.clock.now();
    auto of_peer = a.mail(5);
    of_peer.origin.kind = queue::Origin::Kind::xmpp;
    for (const auto& outcome : a.deliver({sent, called_back, at_its_end, of_peer, a.mail(6, "")}))
        CHECK(goes(outcome));
    CHECK_FALSE(goes(a.deliver({a.mail(7)}).at(0)));
    CHECK(a.courier.concurrency() == 7);
    CHECK(a.courier.limits(kToB, kReadyB).messages == 42);
}
