#include "queue/delivery/dispatcher.hpp"

#include "queue/intake/queue_intake.hpp"
#include "queue/peers/stored_peers.hpp"
#include "support/queue/fixture.hpp"
#include "support/queue/looking_ledger.hpp"
#include "support/run_until.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// A next hop that says what the test tells it to.
class FakeCourier final : public queue::Courier {
  public:
    base::Task<queue::Readiness> prepare(queue::Destination, queue::Urgency) override {
        ++prepared;
        queue::Readiness found = readiness;
        while (slow_to_prepare)
            co_await base::sleep_for(1ms);
        co_return found;
    }
    base::Task<void> deliver(queue::Destination, std::vector<queue::LeasedMessage> messages,
                             queue::Tell tell) override {
        ++under_way;
        most_under_way = std::max(most_under_way, under_way);
        do {
            co_await base::sleep_for(1ms);
        } while (slow);
        --under_way;
        most_together = std::max(most_together, messages.size());
        for (const auto& message : messages) {
            seen.push_back(message.id);
            called_back += message.call_back ? 1 : 0;
            tell(all(message, outcome));
        }
    }
    std::size_t concurrency() const override { return 3; }
    queue::LeaseLimits limits(const queue::Destination&, const queue::Ready& ready) override {
        return grown.value_or(ready.limits);
    }

    queue::Readiness readiness = kReadyB;
    queue::Outcome outcome = delivered();
    std::vector<queue::QueueId> seen;
    int called_back = 0;
    int prepared = 0;
    int under_way = 0;
    int most_under_way = 0;
    std::size_t most_together = 0;              // messages in one delivery
    std::optional<queue::LeaseLimits> grown{};  // in place of those of `readiness`
    bool slow = false;                          // deliveries end only once this is false
    bool slow_to_prepare = false;               // the same of what comes before them
};

/// Our own links that are about to come up at the start.
struct Links {
    std::set<std::string> components;
    std::chrono::milliseconds most{};
};

/// The whole queue on a real clock, between a fake door and a fake courier.
struct Running {
    explicit Running(const Folder& folder, queue::Readiness first = kReadyB,
                     queue::RetryPolicy policy = {50ms, 200ms}, Links links = {})
        : retry(policy),
          storage(io.get_executor(), std::make_unique<LookingLedger>(open(folder), looks)) {
        courier.readiness = std::move(first);
        dispatcher.expect_links(std::move(links.components), links.most);
        dispatcher.use(queue::Lane::xmpp, courier);
        dispatcher.use(queue::Lane::local, local);
        local.readiness = queue::Ready{"", {1, 10, 1u << 20}};
        run<bool>(io, [this]() -> base::Task<bool> {
            const base::Result<void> started = co_await dispatcher.start();
            co_return started.has_value();
        });
    }
    ~Running() {
        courier.slow = false;
        run<bool>(io, [this]() -> base::Task<bool> {
            co_await dispatcher.stop();
            co_return true;
        });
    }
    std::unique_ptr<queue::Store> open(const Folder& folder) {
        auto settings = settings_in(folder);
        settings.retry = retry;
        auto store = queue::open_queue(settings, a_test_router(), clock, random);
        if (!store) throw std::runtime_error(store.error().text);
        return std::move(*store);
    }
    void accept(const queue::Arrival& mail) {
        const bool accepted = run<bool>(io, [&, this]() -> base::Task<bool> {
            queue::Arrival copy = mail;
            const auto receipt = co_await intake.accept(std::move(copy));
            co_return receipt.has_value();
        });
        REQUIRE(accepted);
    }
    /// A mail for each of so many domains: d0.test, d1.test ...
    void accept_for(std::size_t domains) {
        std::vector<queue::Arrival> mails;
        for (std::size_t i = 0; i < domains; ++i)
            mails.push_back(arrival("alice@a.test", {"bob@d" + std::to_string(i) + ".test"}));
        const bool accepted = run<bool>(io, [&]() -> base::Task<bool> {
            const auto receipts = co_await intake.accept_all(std::move(mails));
            co_return receipts.size() == domains;
        });
        REQUIRE(accepted);
    }
    void until(const std::function<bool()>& condition) { support::run_until(io, condition); }

    boost::asio::io_context io;
    std::shared_ptr<Looks> looks = std::make_shared<Looks>();
    base::SystemClock clock;
    base::SystemRandom random;
    queue::RetryPolicy retry;
    queue::StorageThread storage;
    FakeCourier courier;
    FakeCourier local;
    queue::Dispatcher dispatcher{io.get_executor(), storage, retry, clock, random};
    queue::QueueIntake intake{storage,
                              [this](const queue::Destination& d) { dispatcher.arrived(d); }};
};

}  // namespace

TEST_CASE("mail that comes in goes out") {
    Folder folder;
    Running queue(folder);
    for (int i = 0; i < 20; ++i)
        queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 20; });
}

TEST_CASE(
    "mail that waits at the start goes out, many at once and never more than the courier takes") {
    Folder folder;
    {
        Running queue(folder, unreachable());
        for (int i = 0; i < 50; ++i)
            queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    }
    Running queue(folder, queue::Ready{"mail.b.test", {1, 10, 1u << 20}});
    queue.courier.slow = true;
    queue.until([&] { return queue.courier.under_way == 3; });
    queue.courier.slow = false;
    queue.until([&] { return queue.courier.seen.size() == 50; });
    CHECK(queue.courier.most_under_way == 3);
    std::sort(queue.courier.seen.begin(), queue.courier.seen.end());
    CHECK(std::adjacent_find(queue.courier.seen.begin(), queue.courier.seen.end()) ==
          queue.courier.seen.end());
}

TEST_CASE("after a start, what goes to peers waits for our links for a while") {
    Folder folder;
    SECTION("until the last of them is up") {
        Running queue(folder, kReadyB, {50ms, 200ms}, {{"mail.a.test", "mail.c.test"}, 1h});
        queue.accept(arrival("alice@a.test", {"bob@b.test"}));
        queue.accept(arrival("bob@b.test", {"alice@a.test"}));
        // When this has gone out, that would have been looked at.
        queue.until([&] { return queue.local.seen.size() == 1; });
        queue.dispatcher.link_is_up("mail.c.test");
        queue.dispatcher.link_is_up("mail.c.test");
        queue.accept(arrival("bob@b.test", {"alice@a.test"}));
        queue.until([&] { return queue.local.seen.size() == 2; });
        CHECK(queue.courier.prepared == 0);
        queue.dispatcher.link_is_up("mail.a.test");
        queue.until([&] { return queue.courier.seen.size() == 1; });
        CHECK(queue.courier.prepared == 1);
    }
    SECTION("and no longer") {
        const auto began = std::chrono::steady_clock::now();
        Running queue(folder, kReadyB, {50ms, 200ms}, {{"mail.a.test"}, 50ms});
        queue.accept(arrival("alice@a.test", {"bob@b.test"}));
        queue.until([&] { return queue.courier.prepared == 1; });
        CHECK(std::chrono::steady_clock::now() - began >= 50ms);
    }
}

TEST_CASE("what waits until our link is up is looked at once") {
    Folder folder;
    Running queue(folder, unreachable(), {1h, 1h});
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.prepared == 1 && queue.dispatcher.is_idle(); });
    queue.courier.readiness = kReadyB;
    queue.dispatcher.link_is_up("mail.a.test");
    queue.until([&] { return queue.courier.seen.size() == 1 && queue.dispatcher.is_idle(); });
    CHECK(queue.courier.prepared == 2);
}

TEST_CASE("what is woken while a look finds nobody is looked at again at once") {
    Folder folder;
    Running queue(folder, unreachable(), {1h, 1h});
    queue.courier.slow_to_prepare = true;
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.prepared == 1; });
    // The look that is under way will not have seen it.
    queue.courier.readiness = kReadyB;
    queue.dispatcher.link_is_up("mail.a.test");
    queue.courier.slow_to_prepare = false;
    queue.until([&] { return queue.courier.seen.size() == 1; });
}

TEST_CASE("who gives a sign of life may be the peer of what waits for one that is not known") {
    Folder folder;
    Running queue(folder, kReadyB, {1h, 1h});
    // One that answers, so that not everybody is silent.
    queue.courier.outcome =
        queue::Deferred{reply(451, "4.5.0", "not now"), "mail.c.test", true, {}};
    queue.accept(arrival("alice@a.test", {"carol@c.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1 && queue.dispatcher.is_idle(); });
    auto nobody = unreachable();
    nobody.remote.clear();
    queue.courier.readiness = nobody;
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.prepared == 2 && queue.dispatcher.is_idle(); });
    queue.courier.readiness = kReadyB;
    queue.courier.outcome = delivered();
    queue.dispatcher.peer_is_back("mail.d.test");
    queue.until([&] { return queue.courier.seen.size() == 2; });
}

TEST_CASE("what a peer takes at once may grow while mail flows") {
    Folder folder;
    Running queue(folder, queue::Ready{"mail.b.test", {1, 10, 1u << 20}});
    queue.courier.slow = true;
    for (int i = 0; i < 50; ++i)
        queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.under_way == 3; });
    CHECK(queue.courier.most_together == 0);
    queue.courier.grown = queue::LeaseLimits{20, 100, 1u << 20};
    queue.courier.slow = false;
    queue.until([&] { return queue.courier.seen.size() == 50; });
    CHECK(queue.courier.prepared == 1);
    CHECK(queue.courier.most_together == 20);
}

TEST_CASE("a peer that is out is tried more and more seldom, and at once when it is back") {
    Folder folder;
    Running queue(folder);
    queue.retry = {1h, 1h};
    queue.courier.readiness = unreachable();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.prepared >= 3; });
    queue.courier.readiness = kReadyB;
    queue.dispatcher.peer_is_back("mail.b.test");
    queue.until([&] { return queue.courier.seen.size() == 1; });
}

TEST_CASE("what may have been sent is called back as soon as its peer takes no mail any more") {
    Folder folder;
    Running queue(folder, kReadyB, {1h, 1h});
    SECTION("and was not heard") {
        queue.courier.outcome = unreachable();
    }
    SECTION("and had another answer to this one") {
        queue.courier.outcome =
            queue::Deferred{reply(451, "4.5.0", "this is not answered, while others are"),
                            "mail.b.test",
                            false,
                            {}};
    }
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1 && queue.dispatcher.is_idle(); });
    CHECK(queue.courier.called_back == 0);
    queue.courier.readiness = queue::Rerouted{"mail.b.test takes no mail any more"};
    queue.dispatcher.peer_has_left(kToB);
    queue.dispatcher.peer_has_left({queue::Lane::xmpp, "mail.a.test", "never.heard.of.test"});
    queue.until([&] { return queue.courier.called_back == 1; });
}

TEST_CASE(
    "when a component changes its lane, all of its mail is looked at, whatever it waits for") {
    Folder folder;
    Running queue(folder, kReadyB, {1h, 1h});
    queue.courier.outcome =
        queue::Deferred{reply(450, "4.7.1", "come back later"), "mail.b.test", true, {}};
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1 && queue.dispatcher.is_idle(); });
    queue.courier.outcome = delivered();
    queue.dispatcher.lane_changed("mail.other.test");
    queue.dispatcher.lane_changed("mail.a.test");
    queue.until([&] { return queue.courier.seen.size() == 2; });
}

TEST_CASE("a run ends when its courier takes nothing more, and what is left is not lost") {
    Folder folder;
    Running queue(folder);
    queue.courier.slow = true;
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.under_way == 1; });
    queue.courier.grown = queue::LeaseLimits{0, 1, 1};
    queue.courier.readiness = queue::Rerouted{"off"};
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.courier.slow = false;
    queue.until([&] { return queue.courier.prepared >= 2 && queue.dispatcher.is_idle(); });
    CHECK(queue.courier.seen.size() == 1);
}

TEST_CASE("a peer that shows signs of life and answers no mail is not sent it again and again") {
    Folder folder;
    Running queue(folder, kReadyB, {1h, 1h});
    queue.courier.outcome = unreachable();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.dispatcher.is_idle() && !queue.courier.seen.empty(); });
    for (std::size_t signs = 1; signs <= 50; ++signs) {
        queue.dispatcher.peer_is_back("mail.b.test");
        // When this has gone out, the sign was heeded or not.
        queue.accept(arrival("bob@b.test", {"alice@a.test"}));
        queue.until([&] { return queue.local.seen.size() == signs && queue.dispatcher.is_idle(); });
    }
    // After three tries for nothing the pause doubles from 1 s on: an hour has time for 12 more.
    CHECK(queue.courier.seen.size() >= 2);
    CHECK(queue.courier.seen.size() <= 17);
}

TEST_CASE("what is answered, and refused by itself, waits its own time and holds nobody") {
    Folder folder;
    Running queue(folder, kReadyB, {1h, 1h});
    queue.courier.outcome = queue::Deferred{
        reply(451, "4.5.0", "this is not answered, while others are"), "mail.b.test", false, {}};
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1; });
    const auto refused = queue.courier.seen[0];
    queue.courier.outcome = delivered();
    queue.dispatcher.peer_is_back("mail.b.test");
    queue.accept(arrival("alice@a.test", {"carol@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 2; });
    CHECK(queue.courier.seen[1] != refused);
    CHECK(queue.dispatcher.silent_peers({}, 100).empty());
}

TEST_CASE("a peer that falls silent is left alone, while another destination's mail goes on") {
    Folder folder;
    Running queue(folder);
    queue.courier.outcome = unreachable();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() >= 2; });
    queue.accept(arrival("bob@b.test", {"alice@a.test"}));
    queue.until([&] { return queue.local.seen.size() == 1; });
    queue.courier.outcome = delivered();
    const auto tries = queue.courier.seen.size();
    queue.until([&] { return queue.courier.seen.size() == tries + 1; });
}

TEST_CASE(
    "a domain that takes no XMPP mail any more: what was sent follows once it is called back") {
    Folder folder;
    FakeCourier relay;
    relay.readiness = queue::Ready{"", {10, 100, 1u << 20}};
    Running queue(folder);
    queue.dispatcher.use(queue::Lane::relay, relay);
    queue.courier.outcome = unreachable();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1; });
    const auto sent = queue.courier.seen[0];

    queue.courier.readiness = queue::Rerouted{"b.test takes no mail over XMPP"};
    queue.until([&] { return queue.courier.called_back > 0; });
    CHECK(relay.seen.empty());
    // Its peer does not answer. That holds nothing else up.
    queue.accept(arrival("alice@a.test", {"carol@b.test"}));
    queue.until([&] { return relay.seen.size() == 1; });
    CHECK(relay.seen[0] != sent);

    queue.courier.outcome = queue::Rerouted{"called back"};
    queue.until([&] { return relay.seen.size() == 2; });
    CHECK(relay.seen[1] == sent);
}

TEST_CASE("mail that comes while others are being delivered does not wait for them") {
    Folder folder;
    Running queue(folder);
    queue.courier.slow = true;
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.under_way == 1; });
    queue.accept(arrival("alice@a.test", {"carol@b.test"}));
    queue.until([&] { return queue.courier.under_way == 2; });
}

TEST_CASE("one try that meets silence serves all mail of a destination whose time is up") {
    Folder folder;
    Running queue(folder, queue::Ready{"mail.b.test", {1, 10, 1u << 20}});
    queue.courier.outcome = unreachable();
    for (int i = 0; i < 100; ++i) {
        auto mail = arrival("alice@a.test", {"bob@b.test"});
        mail.expires_at = queue.clock.now() - 1s;
        queue.accept(mail);
    }
    // Each sender hears of it.
    queue.until([&] { return queue.local.seen.size() == 100; });
    CHECK(queue.courier.seen.size() >= 1);
    CHECK(queue.courier.seen.size() < 50);
}

TEST_CASE("all destinations with mail are found at the start, in pages, while our link comes up") {
    constexpr std::size_t kDomains = 1300;
    Folder folder;
    {
        Running queue(folder, unreachable(), {1h, 1h});
        queue.accept_for(kDomains);
    }
    Running queue(folder, queue::Ready{"mail.b.test", {1, 10, 1u << 20}});
    // They were put off for an hour, as our link was down. It comes up while they are read.
    queue.dispatcher.link_is_up("mail.a.test");
    queue.until([&] { return queue.courier.seen.size() == kDomains; });
}

TEST_CASE("a peer that leaves while the start still reads what waits is heard of") {
    constexpr std::size_t kDomains = 1300;
    Folder folder;
    {
        auto down = unreachable();
        down.remote.clear();  // each by itself
        Running queue(folder, down, {1h, 1h});
        queue.accept_for(kDomains);
        queue.until([&] { return queue.courier.prepared >= static_cast<int>(kDomains); });
    }
    Running queue(folder);
    queue.dispatcher.peer_has_left({queue::Lane::xmpp, "mail.a.test", "d1299.test"});
    queue.until([&] { return queue.courier.seen.size() == 1; });
}

TEST_CASE("once a peer answers, what waits for the end of its silence goes out at once") {
    Folder folder;
    // More than what is put off here: else that would count as due.
    Running queue(folder, kReadyB, {50ms, 24h});
    // What is deferred now is to wait for an hour. While it is under way, it has no such time.
    const auto postpone = [&] {
        for (int moved = 0; moved == 0;) {
            REQUIRE(look(queue.io, queue.storage, *queue.looks, [&](queue::Store& store) {
                store.database().connection().exec(
                    "UPDATE recipient SET due_at = due_at + 3600000 WHERE state = 3");
                moved = store.database().changes();
            }));
        }
    };
    // Somebody else answers, so that not everybody is silent.
    queue.courier.outcome =
        queue::Deferred{reply(451, "4.5.0", "not now"), "mail.c.test", true, {}};
    queue.accept(arrival("alice@a.test", {"carol@c.test"}));
    queue.until([&] { return queue.courier.seen.size() == 1; });
    postpone();
    queue.courier.outcome = unreachable();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() >= 2; });
    const auto silent = queue.courier.seen.back();
    postpone();
    queue.courier.outcome = delivered();
    const auto tries = queue.courier.seen.size();
    queue.accept(arrival("alice@a.test", {"bob@b.test"}));
    queue.until([&] { return queue.courier.seen.size() >= tries + 2; });
    CHECK(queue.courier.seen.back() == silent);
}

TEST_CASE("a failure's report goes out by itself") {
    Folder folder;
    Running queue(folder);
    queue.courier.outcome = failed();
    queue.accept(arrival("alice@a.test", {"nobody@b.test"}));
    queue.until([&] { return queue.local.seen.size() == 1; });
}

TEST_CASE("requests that fail do not take others of the same commit with them") {
    Folder folder;
    Running queue(folder);
    const auto answers = run<std::vector<bool>>(queue.io, [&]() -> base::Task<std::vector<bool>> {
        std::vector<queue::Arrival> mails;
        for (int i = 0; i < 10; ++i) {
            mails.push_back(arrival("alice@a.test", {"bob@b.test"}));
            // Two recipients with one number break the primary key.
            if (i % 2 == 0) {
                mails.back().envelope.recipients.push_back(mails.back().envelope.recipients[0]);
                mails.back().destinations.push_back(kToB);
            }
        }
        const auto receipts = co_await queue.intake.accept_all(std::move(mails));
        std::vector<bool> accepted;
        for (const auto& receipt : receipts) {
            accepted.push_back(receipt.has_value());
            if (!receipt) CHECK(receipt.error().code == base::Errc::storage);
        }
        co_return accepted;
    });
    REQUIRE(answers.size() == 10);
    for (std::size_t i = 0; i < answers.size(); ++i)
        CHECK(answers[i] == (i % 2 == 1));
    queue.until([&] { return queue.courier.seen.size() == 5; });
}

TEST_CASE("a message that can't be stored leaves no file behind") {
    Folder folder;
    Running queue(folder);
    auto mail =
        arrival("alice@a.test", {"bob@b.test"}, std::string(base::limits::kInlineContent + 1, 'x'));
    mail.envelope.recipients.push_back(mail.envelope.recipients[0]);
    mail.destinations.push_back(kToB);
    const bool accepted = run<bool>(queue.io, [&]() -> base::Task<bool> {
        const auto receipt = co_await queue.intake.accept(std::move(mail));
        co_return receipt.has_value();
    });
    CHECK_FALSE(accepted);
    CHECK(folder.files_in("content") == 0);
}

TEST_CASE("peers that were found are remembered over a restart") {
    Folder folder;
    const auto now = base::TimePoint(1'800'000'000s);
    {
        Running queue(folder);
        queue::StoredPeers peers(queue.storage);
        CHECK(run<bool>(queue.io, [&]() -> base::Task<bool> {
            const queue::KnownPeer b{domain("b.test"), "mail.b.test", now, now};
            const queue::KnownPeer c{domain("c.test"), "mail.c.test", now, now};
            const queue::KnownPeer d{domain("d.test"), "mail.d.test", now, now, now + 2h, now};
            const queue::KnownPeer later{domain("b.test"), "mail.b.test", now, now + 1h};
            const auto first = co_await peers.remember(b);
            const auto second = co_await peers.remember(c);
            const auto third = co_await peers.remember(later);
            const auto fourth = co_await peers.remember(d);
            std::vector<mail::Domain> gone(1, c.domain);
            const auto forgotten = co_await peers.forget(std::move(gone));
            co_return first&& second&& third&& fourth&& forgotten;
        }));
    }
    Running queue(folder);
    queue::StoredPeers peers(queue.storage);
    const auto known = run<std::vector<queue::KnownPeer>>(
        queue.io, [&]() -> base::Task<std::vector<queue::KnownPeer>> {
            // In bounded steps.
            auto some = co_await peers.load({}, 1);
            std::vector<queue::KnownPeer> all = std::move(some.value());
            auto more = co_await peers.load(all.back().domain, 1);
            all.insert(all.end(), more->begin(), more->end());
            const auto none = co_await peers.load(all.back().domain, 1);
            CHECK(none->empty());
            co_return all;
        });
    REQUIRE(known.size() == 2);
    CHECK(known[0].component == "mail.b.test");
    CHECK(known[0].first_seen == now);
    CHECK(known[0].last_seen == now + 1h);
    CHECK(known[0].sent == base::TimePoint());
    CHECK(known[1].component == "mail.d.test");
    CHECK(known[1].sent == now + 2h);
    CHECK(known[1].received == now);
}
