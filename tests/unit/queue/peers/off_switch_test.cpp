// The emergency switch: it outlives a restart, and no clock that jumps holds it, or ends it early.
#include "queue/peers/off_switch.hpp"

#include "queue/sqlite/sqlite_ledger.hpp"
#include "support/catch_result.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// A process that has the switch.
struct SwitchProcess {
    SwitchProcess(const Folder& folder, const ManualClock& clock)
        : storage(io.get_executor(), ledger(folder, clock)), trust(clock, clock.now()) {}
    std::unique_ptr<queue::Ledger> ledger(const Folder& folder, const ManualClock& clock) {
        auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
        return std::make_unique<queue::SqliteLedger>(std::move(store.value()));
    }
    using Done = base::Result<void>;
    queue::OffSwitch& make(const ManualClock& clock) { return off.emplace(storage, clock, trust); }
    Done load() {
        return run<Done>(io, [this]() -> base::Task<Done> { return off->load(); });
    }
    Done turn_off(std::optional<base::TimePoint> until) {
        return run<Done>(io, [this, until]() -> base::Task<Done> { return off->turn_off(until); });
    }
    Done turn_on() {
        return run<Done>(io, [this]() -> base::Task<Done> { return off->turn_on(); });
    }

    boost::asio::io_context io;
    SeededRandom random;
    queue::StorageThread storage;
    base::ClockTrust trust;
    std::optional<queue::OffSwitch> off;
};

struct Switch {
    Switch() { restart(); }
    void restart() {
        process.reset();
        process = std::make_unique<SwitchProcess>(folder, clock);
        process->make(clock);
        REQUIRE(process->load());
    }
    queue::OffSwitch& operator()() { return *process->off; }

    Folder folder;
    ManualClock clock;
    std::unique_ptr<SwitchProcess> process;
};

}  // namespace

TEST_CASE("it is on until an administrator says off, and off until they say on") {
    Switch off;
    CHECK_FALSE(off().off());
    CHECK_FALSE(off().is_over());
    const auto since = off.clock.now();
    REQUIRE(off.process->turn_off(std::nullopt));
    off.clock.advance(24h * 30);
    CHECK_FALSE(off().is_over());
    CHECK_FALSE(off().left());
    off.restart();
    CHECK(off().off() == queue::Off{since, std::nullopt});
    REQUIRE(off.process->turn_on());
    REQUIRE(off.process->turn_on());
    CHECK_FALSE(off().off());
    off.restart();
    CHECK_FALSE(off().off());
}

TEST_CASE("said again, only its end changes") {
    Switch off;
    const auto since = off.clock.now();
    REQUIRE(off.process->turn_off(since + 1h));
    off.clock.advance(30min);
    REQUIRE(off.process->turn_off(since + 3h));
    CHECK(off().off() == queue::Off{since, since + 3h});
    CHECK(off().left() == 150min);
    off.clock.advance(2h);
    CHECK_FALSE(off().is_over());
    REQUIRE(off.process->turn_off(std::nullopt));
    off.clock.advance(24h);
    CHECK_FALSE(off().is_over());
}

TEST_CASE("its time passes, and a restart does not begin it anew") {
    Switch off;
    REQUIRE(off.process->turn_off(off.clock.now() + 2h));
    off.clock.advance(90min);
    off.restart();
    CHECK(off().left() == 30min);
    off.clock.advance(30min - 1ms);
    CHECK_FALSE(off().is_over());
    off.clock.advance(1ms);
    CHECK(off().is_over());
    off.clock.advance(1h);
    off.restart();
    CHECK(off().is_over());
    CHECK(off().left() == 0ms);
}

TEST_CASE("a clock that jumps neither ends it early nor keeps it off") {
    Switch off;
    REQUIRE(off.process->turn_off(off.clock.now() + 2h));
    SECTION("ahead, while it runs") {
        off.clock.jump(24h * 365);
        CHECK_FALSE(off().is_over());
        off.clock.advance(2h);
        CHECK(off().is_over());
    }
    SECTION("back, while it runs") {
        off.clock.jump(-24h * 365);
        off.clock.advance(2h);
        CHECK(off().is_over());
    }
    SECTION("back, before a restart") {
        off.clock.jump(-24h * 300);
        off.restart();
        CHECK(off().left() == 2h);
        off.clock.advance(2h);
        CHECK(off().is_over());
    }
    SECTION("ahead, before a restart that sees it") {
        off.clock.jump(24h * 300);
        const auto before = off.clock.now() - 24h * 300;
        off.process.reset();
        off.process = std::make_unique<SwitchProcess>(off.folder, off.clock);
        base::ClockTrust doubtful(off.clock, before);
        off.process->off.emplace(off.process->storage, off.clock, doubtful);
        REQUIRE(off.process->load());
        CHECK_FALSE(off().is_over());
        CHECK(off().left() == 2h);
        // The clock was right after all.
        off.clock.advance(base::ClockTrust::kProbation + 1min);
        CHECK(off().is_over());
        off.process->off.reset();
    }
    SECTION("with the clock right again, when it shows the end") {
        off.clock.jump(-1h);
        off.clock.advance(30min);
        off.clock.jump(1h);
        off.clock.advance(89min);
        CHECK_FALSE(off().is_over());
        off.clock.advance(1min);
        CHECK(off().is_over());
    }
}
