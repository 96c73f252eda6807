#include "queue/delivery/watched_courier.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// Tells each recipient of each message the next of `outcomes`.
class TellingCourier final : public queue::Courier {
  public:
    base::Task<queue::Readiness> prepare(queue::Destination, queue::Urgency) override {
        co_return queue::Readiness(kReadyB);
    }
    base::Task<void> deliver(queue::Destination, std::vector<queue::LeasedMessage> messages,
                             queue::Tell tell) override {
        std::size_t next = 0;
        for (const auto& message : messages) {
            queue::MessageOutcome outcome{message.id, {}, true};
            for (const auto& recipient : message.envelope.recipients)
                outcome.recipients.push_back({recipient.n, outcomes.at(next++)});
            tell(std::move(outcome));
        }
        co_return;
    }
    std::size_t concurrency() const override { return 7; }
    queue::LeaseLimits limits(const queue::Destination&, const queue::Ready&) override {
        return {42, 42, 42};
    }
    std::vector<queue::Outcome> outcomes;
};

queue::LeasedMessage leased_from(std::int64_t id, const std::string& from, std::size_t recipients) {
    queue::LeasedMessage message;
    message.id = queue::QueueId{id};
    if (!from.empty()) message.envelope.from = mailbox(from);
    for (std::size_t n = 0; n < recipients; ++n)
        message.envelope.recipients.push_back(
            {static_cast<std::uint32_t>(n), mailbox("bob@b.test"), {}, ""});
    return message;
}

}  // namespace

TEST_CASE("unknown recipients count against the sender of ours that wrote to them, and no others") {
    TellingCourier courier;
    const queue::Router router = a_test_router();
    ManualClock clock;
    queue::SenderCounts counts({{{100, 100, 100}, 1h, queue::Beyond::log}, {}, {}}, clock,
                               [](const queue::SenderAlarm&) {});
    queue::WatchedCourier watched(courier, router, counts);
    CHECK(watched.concurrency() == 7);
    CHECK(watched.limits(kToB, kReadyB).messages == 42);

    const queue::Failed too_large{reply(552, "5.3.4", "too large"), "mail.b.test"};
    courier.outcomes = {failed(), delivered(), failed(), too_large,
                        failed(), failed(),    failed(), unreachable()};
    auto from_peer = leased_from(4, "bob@a.test", 1);
    from_peer.origin.kind = queue::Origin::Kind::xmpp;
    std::vector<queue::LeasedMessage> messages{
        leased_from(1, "alice@a.test", 4), leased_from(2, "carol@c.test", 1), leased_from(3, "", 1),
        from_peer, leased_from(5, "juergen@a.test", 1)};
    std::vector<queue::QueueId> told;
    const queue::Tell tell = [&](queue::MessageOutcome outcome) { told.push_back(outcome.id); };
    base::asio::io_context io;
    run<int>(io, [&]() -> base::Task<int> {
        const queue::Readiness ready = co_await watched.prepare(kToB, queue::Urgency::fresh);
        CHECK(std::holds_alternative<queue::Ready>(ready));
        co_await watched.deliver(kToB, messages, tell);
        co_return 0;
    });
    CHECK(told.size() == 5);
    const auto rows = counts.list(10);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].name == "alice@a.test");
    CHECK(rows[0].last_hour == queue::SenderFigures{0, 0, 2});
}
