#include "queue/sqlite/store/standings.hpp"

#include "support/catch_result.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using queue::PeerClass;
using queue::PeerFigures;

namespace {

constexpr std::chrono::hours kStandingDay(24);
const PeerFigures kOneMail{1, 1, 0, 0, 0};

void count(StoreFixture& queue, const std::string& name, const PeerFigures& figures = kOneMail) {
    queue.transact([&](queue::Store& s) {
        queue::count_for_peer(s, domain(name.c_str()), figures);
        return 0;
    });
}
PeerClass class_now(StoreFixture& queue, const std::string& name) {
    return queue::class_of_peer(queue.store(), domain(name.c_str()));
}
void set(StoreFixture& queue, const char* name, std::optional<PeerClass> by_hand) {
    REQUIRE(queue.transact(
        [&](queue::Store& s) { return queue::set_peer_class(s, domain(name), by_hand); }));
}
int prune(StoreFixture& queue) {
    return queue.transact([](queue::Store& s) { return queue::prune_standings(s); });
}
/// All of it, as the minute's round does.
void prune_all(StoreFixture& queue) {
    while (prune(queue) >= static_cast<int>(base::limits::kPruned)) {
    }
}
std::int64_t lines(StoreFixture& queue, const std::string& where = "1") {
    return queue.count("SELECT COUNT(*) FROM standing WHERE " + where);
}
bool has_standing(StoreFixture& queue, const std::string& name) {
    return lines(queue, "domain = '" + name + "'") == 1;
}
/// A clock that was set so far ahead, and has gone on for long enough to be believed.
void believe_clock_ahead(StoreFixture& queue, std::chrono::hours by) {
    queue.clock.jump(by);
    REQUIRE_FALSE(queue.store().may_end_by_time());
    queue.clock.advance(std::chrono::hours(2));
    REQUIRE(queue.store().may_end_by_time());
}
/// So many lines of as many organisations, whose last mail came on `day`, the `days`th of them.
void fill(StoreFixture& queue, std::int64_t many, const std::string& prefix, int on_days,
          std::int64_t day) {
    queue.store().database().connection().exec(fmt::format(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {0})"
        " INSERT INTO standing SELECT '{1}' || i || '.test', {3}, {3}, {2}, '{1}' || i || '.test',"
        " 0, 0 FROM n",
        many, prefix, on_days, day));
    queue.open();
}
std::int64_t today(StoreFixture& queue) {
    return queue::day_of(queue.clock.now()).time_since_epoch().count();
}

}  // namespace

TEST_CASE(
    "the peer book has no more lines than it may have, and the oldest of the unknown goes first") {
    StoreFixture queue;
    count(queue, "old.test");
    count(queue, "ours.test");
    set(queue, "ours.test", PeerClass::trusted);
    for (int day = 0; day < 3; ++day) {
        count(queue, "friend.test");
        queue.clock.advance(kStandingDay);
    }
    fill(queue, queue::kStandings - 3, "n", 1, today(queue) - 1);
    REQUIRE(lines(queue) == queue::kStandings);
    count(queue, "fresh1.test");
    CHECK(lines(queue) == queue::kStandings);
    CHECK_FALSE(has_standing(queue, "old.test"));
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day WHERE domain = 'old.test'") == 0);
    count(queue, "fresh2.test");
    CHECK(lines(queue) == queue::kStandings);
    CHECK(has_standing(queue, "friend.test"));
    CHECK(has_standing(queue, "ours.test"));
    CHECK(has_standing(queue, "fresh1.test"));
}

TEST_CASE("where all are known, the oldest of these goes, but none that somebody has spoken of") {
    StoreFixture queue;
    for (int day = 0; day < 3; ++day) {
        count(queue, "friend.test");
        queue.clock.advance(kStandingDay);
    }
    set(queue, "ours.test", PeerClass::blocked);
    fill(queue, queue::kStandings - 2, "n", 3, today(queue));
    count(queue, "fresh.test");
    CHECK_FALSE(has_standing(queue, "friend.test"));
    CHECK(has_standing(queue, "ours.test"));
    CHECK(has_standing(queue, "fresh.test"));
    queue.store().database().connection().exec("UPDATE standing SET by_hand = 6");
    queue.open();
    count(queue, "more.test");
    CHECK_FALSE(has_standing(queue, "more.test"));
    CHECK(class_now(queue, "more.test") == PeerClass::newcomer);
    const auto set_more = queue.transact([](queue::Store& s) {
        return queue::set_peer_class(s, domain("more.test"), PeerClass::limited);
    });
    REQUIRE_FALSE(set_more);
    CHECK(set_more.error().code == base::Errc::limit);
    CHECK(lines(queue) == queue::kStandings);
}

TEST_CASE("an organisation with many names has a few lines, and one for all the others") {
    StoreFixture queue;
    for (int i = 0; i < 200; ++i)
        count(queue, fmt::format("x{}.evil.test", i), {1, 2, 1, 0, 0});
    CHECK(lines(queue) == queue::kStandingsOfOrganisation + 1);
    CHECK(has_standing(queue, "evil.test"));
    CHECK(has_standing(queue, "x0.evil.test"));
    const auto found = queue::find_standing(
        queue.store().database(), queue::day_of(queue.clock.now()), domain("x199.evil.test"));
    REQUIRE(found);
    CHECK(found->domain == "evil.test");
    CHECK(found->record.total().unknown == 200 - queue::kStandingsOfOrganisation);
    // What the others have earned, the next one gets.
    CHECK(class_now(queue, "x777.evil.test") == PeerClass::blocked);
    CHECK(class_now(queue, "x0.evil.test") == PeerClass::newcomer);
    queue.open();
    CHECK(class_now(queue, "x777.evil.test") == PeerClass::blocked);
    count(queue, "b.test");
    CHECK(has_standing(queue, "b.test"));
}

TEST_CASE("trust is given to a name, and not to all that its owner can make up") {
    StoreFixture queue;
    set(queue, "university.test", PeerClass::trusted);
    for (int i = 0; i < 30; ++i)
        count(queue, fmt::format("x{}.university.test", i));
    CHECK(lines(queue) == queue::kStandingsOfOrganisation);
    CHECK(class_now(queue, "university.test") == PeerClass::trusted);
    for (const char* const name : {"x0.university.test", "x29.university.test"})
        CHECK(class_now(queue, name) == PeerClass::newcomer);
    const auto found = queue::find_standing(
        queue.store().database(), queue::day_of(queue.clock.now()), domain("x29.university.test"));
    REQUIRE(found);
    CHECK_FALSE(found->record.by_hand);
}

TEST_CASE("days go when they count no more, and the domain after a year") {
    StoreFixture queue;
    count(queue, "b.test");
    set(queue, "ours.test", PeerClass::trusted);
    queue.clock.advance(kStandingDay * 119);
    CHECK(prune(queue) == 0);
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day") == 1);
    queue.clock.advance(kStandingDay);
    CHECK(prune(queue) == 1);
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day") == 0);
    CHECK(has_standing(queue, "b.test"));
    queue.clock.advance(kStandingDay * (365 - 120));
    CHECK(prune(queue) == 0);
    queue.clock.advance(kStandingDay);
    CHECK(prune(queue) == 1);
    CHECK_FALSE(has_standing(queue, "b.test"));
    CHECK(has_standing(queue, "ours.test"));
}

TEST_CASE("they go in steps") {
    StoreFixture queue;
    fill(queue, 1200, "n", 1, today(queue) - 200);
    queue.store().database().connection().exec(
        "INSERT INTO standing_day SELECT domain, last_day, 1, 1, 0, 0, 0 FROM standing");
    CHECK(prune(queue) == static_cast<int>(base::limits::kPruned));
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day") == 1200 - 500);
    prune_all(queue);
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day") == 0);
}

TEST_CASE("while the clock is wrong, mail is counted on the day that it is") {
    StoreFixture queue;
    count(queue, "b.test");
    const auto right = today(queue);
    for (const auto by : {kStandingDay * 3000, -kStandingDay * 3000}) {
        queue.clock.jump(by);
        count(queue, "b.test");
        count(queue, by > kStandingDay ? "ahead.test" : "behind.test");
        CHECK(prune(queue) == 0);
        queue.clock.jump(-by);
    }
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day WHERE day = " + std::to_string(right)) ==
          3);
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day") == 3);
    CHECK(queue.count("SELECT messages FROM standing_day WHERE domain = 'b.test'") == 3);
    CHECK(lines(queue, "since = " + std::to_string(right)) == 3);
}

TEST_CASE("no hour of a wrong clock costs the book what it knows") {
    StoreFixture queue;
    count(queue, "b.test");
    believe_clock_ahead(queue, kStandingDay * 3000);
    prune_all(queue);
    queue.clock.jump(-kStandingDay * 3000);
    REQUIRE_FALSE(queue.store().may_end_by_time());
    queue.clock.advance(std::chrono::hours(2));
    prune_all(queue);
    CHECK(has_standing(queue, "b.test"));
    CHECK(queue.count("SELECT messages FROM standing_day WHERE domain = 'b.test'") == 1);
}

TEST_CASE("after a weekend off, mail is counted on the day that it comes") {
    StoreFixture queue;
    count(queue, "b.test");
    queue.transact([](queue::Store& s) {
        s.keep_clock();
        return 0;
    });
    queue.clock.jump(kStandingDay * 60);
    queue.open();
    REQUIRE_FALSE(queue.store().may_end_by_time());
    count(queue, "c.test");
    CHECK(lines(queue, "domain = 'c.test' AND since = " + std::to_string(today(queue))) == 1);
}

TEST_CASE("what was counted on days to come, by a clock that was believed, is counted as today's") {
    StoreFixture queue;
    count(queue, "b.test");
    believe_clock_ahead(queue, kStandingDay * 3000);
    count(queue, "b.test", {2, 2, 1, 0, 0});
    count(queue, "c.test");
    queue.clock.jump(-kStandingDay * 3000);
    // It is right, and does not know that yet.
    CHECK(prune(queue) == 0);
    queue.clock.advance(std::chrono::hours(2));
    count(queue, "b.test");
    CHECK(prune(queue) == 2);
    CHECK(queue.count("SELECT COUNT(*) FROM standing_day WHERE day > " +
                      std::to_string(today(queue))) == 0);
    CHECK(lines(queue, "since > " + std::to_string(today(queue)) + " OR last_day > " +
                           std::to_string(today(queue))) == 0);
    const auto found = queue::find_standing(queue.store().database(),
                                            queue::day_of(queue.clock.now()), domain("b.test"));
    REQUIRE(found);
    CHECK(found->record.total() == PeerFigures{4, 4, 1, 0, 0});
    CHECK(prune(queue) == 0);
}

TEST_CASE("what is at hand is what is on the disk, whatever was undone") {
    StoreFixture queue;
    count(queue, "b.test");
    const auto undone = queue.transact([](queue::Store& s) -> base::Result<int> {
        for (int i = 0; i < 200; ++i)
            queue::count_for_peer(s, domain("b.test"), {0, 1, 1, 0, 0});
        queue::count_for_peer(s, domain("c.test"), kOneMail);
        (void)queue::set_peer_class(s, domain("d.test"), PeerClass::blocked);
        CHECK(queue::class_of_peer(s, domain("b.test")) == PeerClass::blocked);
        CHECK(queue::class_of_peer(s, domain("d.test")) == PeerClass::blocked);
        return base::fail(base::Errc::storage, "the disk is full");
    });
    REQUIRE_FALSE(undone);
    CHECK(class_now(queue, "b.test") == PeerClass::newcomer);
    CHECK(class_now(queue, "d.test") == PeerClass::newcomer);
    CHECK_FALSE(has_standing(queue, "c.test"));
    count(queue, "c.test");
    CHECK(has_standing(queue, "c.test"));
    CHECK(queue.count("SELECT days FROM standing WHERE domain = 'c.test'") == 1);
    CHECK(queue.count("SELECT messages FROM standing_day WHERE domain = 'b.test'") == 1);
}

TEST_CASE("a class that nobody can have given is none") {
    StoreFixture queue;
    count(queue, "b.test");
    queue.store().database().connection().exec("UPDATE standing SET by_hand = 3");
    queue.open();
    CHECK(class_now(queue, "b.test") == PeerClass::newcomer);
}

TEST_CASE("what lists say is an input to the class, and goes behind what was said by hand") {
    StoreFixture queue;
    const auto list = [&](std::string_view text) {
        auto domains =
            std::make_shared<const queue::DomainList>(queue::DomainList::parse(text).value());
        queue.store().lists()->use_files({{PeerClass::blocked, "/bad", std::move(domains)}});
    };
    count(queue, "b.test");
    REQUIRE(class_now(queue, "b.test") == PeerClass::newcomer);
    list("b.test");
    CHECK(class_now(queue, "b.test") == PeerClass::blocked);
    CHECK(class_now(queue, "x.b.test") == PeerClass::blocked);
    set(queue, "b.test", PeerClass::trusted);
    CHECK(class_now(queue, "b.test") == PeerClass::trusted);
    // Trust is for one name.
    CHECK(class_now(queue, "x.b.test") == PeerClass::blocked);
    set(queue, "b.test", std::nullopt);
    list("c.test");
    CHECK(class_now(queue, "b.test") == PeerClass::newcomer);
    CHECK(class_now(queue, "c.test") == PeerClass::blocked);
}
