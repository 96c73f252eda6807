// The emergency switch of the running daemon: what a start says of it.
#include "app/daemon/off_watch.hpp"

#include "base/task_group.hpp"
#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/catch_result.hpp"
#include "support/log_lines.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

struct WatchingProcess {
    WatchingProcess(const Folder& folder, const ManualClock& clock)
        : storage(io.get_executor(), ledger(folder, clock)),
          trust(clock, clock.now()),
          watch(io.get_executor(), storage, clock, trust, [this](bool off) { is_off = off; }) {}
    std::unique_ptr<queue::Ledger> ledger(const Folder& folder, const ManualClock& clock) {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        return std::make_unique<queue::SqliteLedger>(std::move(store.value()));
    }
    using Done = base::Result<void>;
    Done load() {
        return run<Done>(io, [this]() -> base::Task<Done> { return watch.load(); });
    }
    Done turn_off() {
        return run<Done>(io, [this]() -> base::Task<Done> { return watch.turn_off({}); });
    }
    /// Watches for some turns of the loop.
    void go_on() {
        run<bool>(io, [this]() -> base::Task<bool> {
            base::TaskGroup tasks(io.get_executor());
            tasks.spawn("off", [this] { return watch.go_on(); });
            for (int turn = 0; turn < 10; ++turn)
                co_await base::asio::post(io, base::asio::use_awaitable);
            watch.stop();
            co_await tasks.join();
            co_return true;
        });
    }

    boost::asio::io_context io;
    SeededRandom random;
    queue::StorageThread storage;
    base::ClockTrust trust;
    bool is_off = false;
    app::OffWatch watch;
};

}  // namespace

TEST_CASE("a start says that it is off still, on a host that was booted a moment ago, too") {
    const Folder folder;
    ManualClock clock;
    clock.set(base::SteadyPoint(10min));
    {
        WatchingProcess before(folder, clock);
        REQUIRE(before.load());
        REQUIRE(before.turn_off());
        const LogLines log;
        before.go_on();
        // It has just said so.
        CHECK(log.count("still-off") == 0);
    }
    WatchingProcess after(folder, clock);
    REQUIRE(after.load());
    CHECK(after.is_off);
    const LogLines log;
    after.go_on();
    CHECK(log.count("still-off") == 1);
}
