// Five days of a peer that is out, in virtual time: backoff, the warning, and the end.
#include "queue/delivery/dispatcher.hpp"
#include "queue/delivery/housekeeping.hpp"
#include "queue/intake/queue_intake.hpp"
#include "support/queue/kept_queue.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// Notes when it is asked; delivers what it is told to.
class NotingCourier final : public queue::Courier {
  public:
    NotingCourier(const base::Clock& clock, queue::Readiness readiness)
        : clock_(clock), readiness_(std::move(readiness)) {}
    base::Task<queue::Readiness> prepare(queue::Destination, queue::Urgency) override {
        asked.push_back(clock_.now());
        co_return readiness_;
    }
    base::Task<void> deliver(queue::Destination, std::vector<queue::LeasedMessage> messages,
                             queue::Tell tell) override {
        for (const auto& message : messages) {
            mails.emplace_back(clock_.now(), message.content.bytes());
            tell(all(message, delivered()));
        }
        co_return;
    }
    std::size_t concurrency() const override { return 2; }
    std::vector<base::TimePoint> asked;
    std::vector<std::pair<base::TimePoint, std::string>> mails;

  private:
    const base::Clock& clock_;
    queue::Readiness readiness_;
};

struct Days {
    explicit Days(Implementation implementation) : by(std::move(implementation)) {
        dispatcher.use(queue::Lane::xmpp, peer);
        dispatcher.use(queue::Lane::local, local);
        run<bool>(io, [this]() -> base::Task<bool> {
            const base::Result<void> started = co_await dispatcher.start();
            co_return started.has_value();
        });
    }
    ~Days() {
        run<bool>(io, [this]() -> base::Task<bool> {
            co_await dispatcher.stop();
            co_return true;
        });
    }
    queue::StoreSettings settings() const {
        auto settings = settings_in(folder);
        settings.retry = retry;
        return settings;
    }
    void settle_down() {
        for (;;) {
            io.restart();
            if (io.poll() > 0) continue;
            if (dispatcher.is_idle()) return;
            io.run_one_for(1s);  // the storage thread is at it
        }
    }
    void look_after() {
        run<bool>(io, [this]() -> base::Task<bool> {
            co_await housekeeping.once();
            co_return true;
        });
        settle_down();
    }
    /// The clock goes on to whatever is next, in steps of an hour at most.
    void step() {
        settle_down();
        clock.set(std::clamp(dispatcher.next_look(), clock.steady() + 1ms, clock.steady() + 1h));
        dispatcher.look();
        settle_down();
        look_after();
    }

    Implementation by;
    Folder folder;
    ManualClock clock;
    SeededRandom random;
    boost::asio::io_context io;
    const bool stopping = false;
    queue::RetryPolicy retry;  // the defaults
    queue::StorageThread storage{io.get_executor(), by.open(settings(), clock, random)};
    NotingCourier peer{clock, unreachable()};
    NotingCourier local{clock, kOneByOne};
    queue::Dispatcher dispatcher{io.get_executor(), storage, retry, clock, random};
    std::function<void(const queue::Destination&)> arrived = [this](const queue::Destination& d) {
        dispatcher.arrived(d);
    };
    queue::Reader reader{io.get_executor(), by.ask(settings())};
    queue::Housekeeping housekeeping{storage, reader, clock, 24h * 10, stopping, arrived};
    queue::QueueIntake intake{storage, arrived};
};

}  // namespace

TEST_CASE("a peer that is out for five days: tries, one warning, and the end with a report") {
    Days days(GENERATE(from_range(implementations())));
    const base::TimePoint began = days.clock.now();
    run<bool>(days.io, [&]() -> base::Task<bool> {
        queue::Arrival mail = arrival("alice@a.test", {"bob@b.test"});
        const auto receipt = co_await days.intake.accept(std::move(mail));
        co_return receipt.has_value();
    });
    const auto end = began + 24h * 6;
    while (days.clock.now() < end)
        days.step();

    // Backoff: 5 minutes at first, doubling to 4000 seconds, each less up to an eighth.
    const auto& tries = days.peer.asked;
    REQUIRE(tries.size() > 100);
    CHECK(tries.size() < 140);
    CHECK(tries[1] - tries[0] <= 5min);
    CHECK(tries[1] - tries[0] >= 5min * 7 / 8);
    CHECK(tries[2] - tries[1] > tries[1] - tries[0]);
    for (std::size_t i = 1; i < tries.size(); ++i)
        CHECK(tries[i] - tries[i - 1] <= 4000s);
    CHECK(tries.back() <= began + 24h * 5 + 4000s);

    REQUIRE(days.local.mails.size() == 2);
    const auto& [warned_at, warning] = days.local.mails[0];
    CHECK(warning.find("Subject: Your message is delayed") != std::string::npos);
    CHECK(warned_at - began >= 4h);
    CHECK(warned_at - began <= 5h);
    const auto& [ended_at, report] = days.local.mails[1];
    CHECK(report.find("Subject: Your message could not be delivered") != std::string::npos);
    CHECK(report.find("Status: 5.4.7") != std::string::npos);
    CHECK(ended_at - began >= 24h * 5);
    CHECK(ended_at - began <= 24h * 5 + 4000s);
}

TEST_CASE("mail with an end of its own is given up at that") {
    Days days(GENERATE(from_range(implementations())));
    const base::TimePoint began = days.clock.now();
    run<bool>(days.io, [&]() -> base::Task<bool> {
        queue::Arrival mail = arrival("alice@a.test", {"bob@b.test"});
        mail.expires_at = began + 2h;
        const auto receipt = co_await days.intake.accept(std::move(mail));
        co_return receipt.has_value();
    });
    while (days.clock.now() < began + 24h)
        days.step();
    REQUIRE(days.local.mails.size() == 1);
    CHECK(days.local.mails[0].first - began >= 2h);
    CHECK(days.local.mails[0].first - began <= 2h + 4000s);
}
