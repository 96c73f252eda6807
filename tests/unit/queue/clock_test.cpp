// A clock that is wrong, and is set right: nothing is stuck, nothing ends, and nothing is forgotten
// for it.
#include "queue/delivery/housekeeping.hpp"
#include "queue/sqlite/delivery/clock_repair.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/delivery/quarantine_expiry.hpp"
#include "queue/sqlite/intake/verdicts.hpp"
#include "queue/sqlite/notify/delays.hpp"
#include "queue/sqlite/sqlite_questions.hpp"
#include "support/queue/fixture.hpp"
#include "support/queue/looking_ledger.hpp"

#include <filesystem>

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::hours kYear(24 * 365);
constexpr std::chrono::hours kDay(24);

std::optional<base::TimePoint> next(StoreFixture& queue, const queue::Destination& where = kToB) {
    return queue::next_due(queue.store(), where);
}
void defer_all(StoreFixture& queue, std::chrono::milliseconds wait) {
    queue.defer(kToB, unreachable(), queue.clock.now() + wait);
}
/// Whatever is due is tried in vain.
void fail(StoreFixture& queue) {
    for (const auto& message : queue.lease())
        queue.settle({all(message, unreachable())});
}
int prune(StoreFixture& queue) {
    return queue.transact([](queue::Store& s) { return queue::prune(s); }).value();
}
std::size_t correct(StoreFixture& queue) {
    std::size_t count = 0;
    queue::Corrected step{{}, true, 0};
    while (step.more) {
        step =
            queue.transact([&](queue::Store& s) { return queue::correct_arrivals(s, step.seen); });
        count += step.count;
    }
    return count;
}
queue::Arrival transfer_of_b(const StoreFixture& queue) {
    queue::Arrival mail = from_peer();
    mail.transfer = queue::ReceivedTransfer{*mail.origin.transfer,
                                            "mail.b.test",
                                            "mail.a.test",
                                            {7},
                                            queue.clock.now() + kDay * 5,
                                            {{0, {250, {2, 1, 5}, "ok"}}}};
    return mail;
}
std::size_t waiting(StoreFixture& queue) {
    return static_cast<std::size_t>(
        queue.count("SELECT COUNT(*) FROM recipient WHERE state IN (1, 2, 3)"));
}

}  // namespace

TEST_CASE("mail that was stored while the clock was a year ahead is due once it is right") {
    StoreFixture queue;
    queue.clock.jump(kYear);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.jump(-kYear);
    REQUIRE(next(queue));
    CHECK(*next(queue) <= queue.clock.now());
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("so is mail that was deferred then, one by one or all of its peer") {
    for (const bool all_at_once : {false, true}) {
        StoreFixture queue;
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
        queue.clock.jump(kYear);
        if (all_at_once)
            defer_all(queue, 64s);
        else
            queue.settle({all(queue.lease().at(0), unreachable())});
        CHECK(*next(queue) > queue.clock.now());
        queue.clock.jump(-kYear);
        CHECK(*next(queue) <= queue.clock.now());
        // It is put off again like all else, if nobody answers.
        defer_all(queue, 64s);
        CHECK(*next(queue) == queue.clock.now() + 64s);
        queue.clock.advance(64s);
        CHECK(queue.lease().size() == 1);
    }
}

TEST_CASE("mail that waits is not held up for longer by a clock that is set back") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.settle({all(queue.lease().at(0), unreachable())});
    queue.clock.jump(-kDay);
    CHECK(*next(queue) <= queue.clock.now());
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("what came while the clock was ahead expires five days after it was set right") {
    StoreFixture queue;
    queue.clock.jump(kYear);
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.jump(-kYear);
    const auto right = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(right > id);
    CHECK(correct(queue) == 1);
    CHECK(correct(queue) == 0);
    const auto times = [&](queue::QueueId of) {
        const auto row = queue::read_message(queue.store(), of);
        return std::pair(row.value().received_at, row.value().expires_at);
    };
    CHECK(times(id) == std::pair(queue.clock.now(), queue.clock.now() + kDay * 5));
    CHECK(times(right) == times(id));
    queue.clock.advance(kDay * 5 - 1min);
    fail(queue);
    CHECK(waiting(queue) == 2);
    queue.clock.advance(2min);
    fail(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 2);
}

TEST_CASE("of a peer's mail the end is the peer's word, whatever our clock was") {
    StoreFixture queue;
    auto mail = from_peer();
    mail.expires_at = queue.clock.now() + kDay * 4;
    queue.clock.jump(kDay * 2);
    const auto id = queue.add(mail);
    queue.clock.jump(-kDay * 2);
    CHECK(correct(queue) == 1);
    CHECK(queue::read_message(queue.store(), id).value().expires_at == mail.expires_at);
}

TEST_CASE("while the clock is behind, nothing is corrected by it") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.jump(-kYear);
    CHECK(correct(queue) == 0);
    queue.open();  // nor after a start with it
    CHECK(correct(queue) == 0);
    CHECK_FALSE(queue.store().may_end_by_time());
    queue.clock.jump(kYear);
    CHECK(queue.store().may_end_by_time());
}

TEST_CASE("the history of what ended while the clock was ahead goes in its time") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    queue.clock.jump(kYear);
    queue.settle({all(leased.at(0), delivered())});
    queue.clock.jump(-kYear);
    correct(queue);
    queue.clock.advance(kDay * 14);
    prune(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 0);
}

TEST_CASE("a clock that is eight days ahead for a moment forgets no verdict") {
    StoreFixture queue;
    const auto mail = transfer_of_b(queue);
    const auto id = queue.add(mail);
    queue.clock.jump(kDay * 8);
    prune(queue);
    queue.clock.jump(-kDay * 8);
    const auto again = queue.transact([&](queue::Store& s) { return queue::add_arrival(s, mail); });
    REQUIRE(again);
    CHECK(again->earlier);
    CHECK(again->id == id);
    CHECK(queue.lease(kLocal, kOneByOne).size() == 1);
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

TEST_CASE("nor does one that is ahead at the start, or was behind when the verdict was given") {
    StoreFixture queue;
    auto mail = transfer_of_b(queue);
    queue.clock.jump(-kDay * 30);
    queue.add(mail);  // it was taken before the clock went wrong, say
    queue.clock.jump(kDay * 30);
    prune(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM verdict") == 1);
    queue.clock.jump(kDay * 8);
    queue.open();
    prune(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM verdict") == 1);
}

TEST_CASE("nor does one that stays ahead for long enough to be believed, over restarts") {
    StoreFixture queue;
    queue.add(transfer_of_b(queue));
    const auto keep = [&] {
        queue.transact([](queue::Store& s) {
            s.keep_clock();
            return 0;
        });
    };
    const auto verdicts = [&] { return queue.count("SELECT COUNT(*) FROM verdict"); };
    keep();
    queue.clock.jump(kDay * 8);
    keep();
    queue.open();
    CHECK_FALSE(queue.store().may_end_by_time());
    queue.clock.advance(1h);
    CHECK(queue.store().may_end_by_time());
    prune(queue);
    CHECK(verdicts() == 1);
    keep();
    queue.open();
    CHECK(queue.store().may_end_by_time());
    prune(queue);
    CHECK(verdicts() == 1);
    // By then the transfer has ended by any clock.
    queue.clock.advance(kDay * 7 + 1h);
    prune(queue);
    CHECK(verdicts() == 0);
}

TEST_CASE("what is known of the clock is written down at times, and only while it is believed") {
    StoreFixture queue;
    const auto began = queue.clock.now();
    const auto kept = [&] {
        queue.transact([](queue::Store& s) {
            s.keep_clock();
            return 0;
        });
        return base::TimePoint(
            std::chrono::milliseconds(queue.count("SELECT believed_at FROM clock")));
    };
    CHECK(kept() == began);
    queue.clock.advance(9min);
    CHECK(kept() == began);
    queue.clock.advance(1min);
    CHECK(kept() == began + 10min);
    queue.clock.jump(kDay * 2);
    CHECK(kept() == began + 10min);
    queue.open();
    CHECK_FALSE(queue.store().may_end_by_time());
    queue.clock.jump(-kDay * 2);
    CHECK(queue.store().may_end_by_time());
}

TEST_CASE("nothing expires, is warned of or changes its lane by a clock that has jumped") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    queue.clock.jump(kDay * 8);
    defer_all(queue, 8s);
    CHECK(waiting(queue) == 2);
    queue.clock.advance(8s);
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    queue.settle({all(leased[0], unreachable())});
    CHECK(*next(queue) > queue.clock.now());  // it is not tried in a loop, either
    defer_all(queue, 1min);
    const auto swept =
        queue.transact([](queue::Store& s) { return queue::warn_of_delays(s, {}); }).value();
    CHECK(swept.due_now.empty());
    CHECK(waiting(queue) == 2);
    // It has to be believed some time.
    queue.clock.advance(1h);
    fail(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 2);
}

TEST_CASE("history is not forgotten by it") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.settle({all(queue.lease().at(0), delivered())});
    queue.clock.jump(kDay * 30);
    prune(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM message") == 1);
}

TEST_CASE("mail that comes while the clock is behind for a moment has its five days") {
    StoreFixture queue;
    queue.clock.jump(-kDay * 20);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.jump(kDay * 20);
    queue.clock.advance(kDay * 5 - 1s);
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    // This is not its last try.
    queue.settle({all(leased[0], unreachable())});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 0);
}

TEST_CASE("nor does what the disk does not give out meanwhile") {
    StoreFixture queue;
    const std::string large = "Subject: x\r\n\r\n" + std::string(600'000, 'x') + "\r\n";
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}, large));
    const auto file = queue.folder.path() / "content" / id.to_text();
    std::filesystem::remove(file);
    std::filesystem::create_symlink(file, file);  // it can't be opened: ELOOP
    const auto expired = [&] {
        CHECK(queue.lease(kToB, kReadyB, queue::Portion::large).empty());
        return queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8");
    };
    queue.clock.jump(kDay * 8);
    CHECK(expired() == 0);
    queue.clock.advance(1h);
    CHECK(expired() == 1);
}

TEST_CASE("mail in quarantine does not end by it") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    REQUIRE(queue.transact([&](queue::Store& s) { return queue::quarantine(s, id, "broken"); }));
    queue.clock.jump(kDay * 8);
    REQUIRE(queue.transact([](queue::Store& s) { return queue::expire_quarantine(s); }));
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 1);
    queue.clock.advance(1h);
    REQUIRE(queue.transact([](queue::Store& s) { return queue::expire_quarantine(s); }));
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 4") == 0);
}

TEST_CASE("a host that was off for a month gives its mail another hour") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.advance(kDay * 30);
    queue.open();
    CHECK_FALSE(queue.store().may_end_by_time());
    queue.clock.advance(1min);
    fail(queue);
    CHECK(waiting(queue) == 1);
    queue.clock.advance(1h);
    CHECK(queue.store().may_end_by_time());
    fail(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8") == 1);
}

TEST_CASE("ids of transfers are in order, and none comes twice, whatever the clock does") {
    StoreFixture queue;
    std::string last;
    const auto is_later = [&] {
        const std::string id = queue.store().next_transfer_id();
        const bool later = id > last && id.size() == 44;
        last = id;
        return later;
    };
    CHECK(is_later());
    CHECK(is_later());
    queue.clock.jump(-kYear);
    CHECK(is_later());
    queue.clock.jump(kYear * 2);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    last = queue.lease().at(0).transfer->key.id;
    queue.clock.jump(-kYear);
    CHECK(is_later());
    queue.open();
    last = queue.lease().at(0).transfer->key.id;
    CHECK(is_later());
}

TEST_CASE("an id that is a year ahead is no time: delays and the oldest mail are what they are") {
    StoreFixture queue;
    queue.clock.jump(kYear);
    queue.settle({all((queue.add(arrival("alice@a.test", {"bob@b.test"})), queue.lease().at(0)),
                      delivered())});
    queue.clock.jump(-kYear);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(queue::health(queue.store().database()).oldest == queue.clock.now());
    const auto sweep = [&] {
        return queue.transact([](queue::Store& s) { return queue::warn_of_delays(s, {}); }).value();
    };
    queue.clock.advance(4h - 1s);
    CHECK(sweep().due_now.empty());
    queue.clock.advance(1s);
    CHECK(sweep().due_now == queue::DueNow{kLocal});
}

TEST_CASE("housekeeping corrects what came while the clock was ahead, each time that it is right") {
    Folder folder;
    ManualClock clock;
    SeededRandom random;
    boost::asio::io_context io;
    const bool stopping = false;
    auto store = queue::open_queue(settings_in(folder), a_test_router(), clock, random);
    REQUIRE(store);
    const auto looks = std::make_shared<Looks>();
    queue::StorageThread storage(io.get_executor(),
                                 std::make_unique<LookingLedger>(std::move(*store), looks));
    queue::Reader reader(io.get_executor(),
                         std::make_unique<queue::SqliteQuestions>(folder.path()));
    queue::Housekeeping housekeeping(storage, reader, clock, kDay * 30, stopping,
                                     [](const queue::Destination&) {});
    const auto step = [&](const Looks::Look& what) {
        REQUIRE(look(io, storage, *looks, what));
        run<bool>(io, [&]() -> base::Task<bool> {
            co_await housekeeping.once();
            co_return true;
        });
    };
    const auto add = [](queue::Store& s) {
        CHECK(queue::add_arrival(s, arrival("alice@a.test", {"bob@b.test"})));
    };
    const auto nothing = [](queue::Store&) {};
    std::int64_t ahead = -1;
    const auto count = [&](queue::Store& s) {
        auto find = s.database().query("SELECT COUNT(*) FROM message WHERE received_at > ?1"_sql);
        find.bind(queue::to_millis(s.now())).step();
        ahead = find.integer(0);
    };
    for (int round = 0; round < 2; ++round) {
        clock.jump(kYear);
        step(add);
        clock.jump(-kYear);
        step(count);
        CHECK(ahead == 1);
        step(count);
        CHECK(ahead == 0);
        step(nothing);
    }
}
