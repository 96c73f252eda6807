#include "queue/peer_class.hpp"

#include "support/catch_result.hpp"

#include <catch2/catch.hpp>

using queue::PeerClass;
using queue::PeerFigures;
using queue::PeerRecord;
using Days = std::chrono::days;
using SysDays = std::chrono::sys_days;

namespace {

const SysDays kToday = std::chrono::December / 1 / 2026;

/// Of a domain that has sent `each` on as many days, the first of them so many days ago.
PeerRecord record(int ago, int count, const PeerFigures& each) {
    PeerRecord record(kToday, kToday - Days(ago));
    for (int i = 0; i < count; ++i)
        record.add(kToday - Days(ago - i), each);
    return record;
}

/// One day `ago`, of a domain that is known well.
PeerRecord old_friend(int ago, const PeerFigures& that_day) {
    PeerRecord record(kToday, kToday - Days(500));
    for (int day = 0; day < PeerRecord::kDays; ++day)
        record.add(kToday - Days(day), day == ago ? that_day : PeerFigures{10, 10, 0, 0, 0});
    return record;
}

}  // namespace

TEST_CASE("a domain is new until there were five messages on three days") {
    CHECK(class_of(PeerRecord(kToday, kToday)) == PeerClass::newcomer);
    CHECK(class_of(record(1, 2, {1000, 1000, 0, 0, 0})) == PeerClass::newcomer);
    CHECK(class_of(record(2, 3, {1, 1, 0, 0, 0})) == PeerClass::newcomer);
    CHECK(class_of(record(2, 3, {2, 2, 0, 0, 0})) == PeerClass::known);
    CHECK(class_of(record(99, 5, {1, 1, 0, 0, 0})) == PeerClass::known);
}

TEST_CASE("a day on which nothing was taken makes nobody known") {
    CHECK(class_of(record(20, 20, {0, 1, 1, 0, 0})) == PeerClass::poor);
    CHECK(class_of(record(9, 9, {0, 1, 1, 0, 0})) == PeerClass::newcomer);
}

TEST_CASE(
    "a domain is good after a month, with fifty messages on ten days and hardly any bad one") {
    CHECK(class_of(record(30, 10, {5, 5, 0, 0, 0})) == PeerClass::good);
    CHECK(class_of(record(29, 10, {5, 5, 0, 0, 0})) == PeerClass::known);
    CHECK(class_of(record(30, 9, {9, 9, 0, 0, 0})) == PeerClass::known);
    CHECK(class_of(record(30, 10, {4, 4, 0, 0, 0})) == PeerClass::known);
    // 2 of 100.
    CHECK(class_of(record(30, 10, {100, 100, 2, 0, 0})) == PeerClass::known);
    CHECK(class_of(record(30, 10, {100, 100, 1, 0, 0})) == PeerClass::good);
}

TEST_CASE(
    "bad mail counts by what it says: unknown recipients once, refusals twice, complaints ten "
    "times") {
    CHECK(PeerFigures{9, 9, 1, 0, 0}.bad() == 1);
    CHECK(PeerFigures{9, 9, 0, 1, 0}.bad() == 2);
    CHECK(PeerFigures{9, 9, 0, 0, 1}.bad() == 10);
}

TEST_CASE("a tenth of bad mail makes a domain poor, half of it blocked, if it is enough to tell") {
    CHECK(class_of(record(2, 3, {30, 100, 10, 0, 0})) == PeerClass::poor);
    CHECK(class_of(record(2, 3, {30, 100, 9, 0, 0})) == PeerClass::known);
    // Nine mistakes can happen to anybody.
    CHECK(class_of(record(2, 3, {3, 6, 3, 0, 0})) == PeerClass::known);
    CHECK(class_of(record(0, 1, {3, 13, 10, 0, 0})) == PeerClass::poor);
    CHECK(class_of(record(0, 1, {100, 200, 100, 0, 0})) == PeerClass::blocked);
    CHECK(class_of(record(0, 1, {100, 201, 100, 0, 0})) == PeerClass::poor);
    CHECK(class_of(record(0, 1, {99, 99, 99, 0, 0})) == PeerClass::poor);
    CHECK(class_of(record(0, 1, {50, 50, 0, 50, 0})) == PeerClass::blocked);
}

TEST_CASE("a figure counts half after thirty days, and nothing after four times as many") {
    const auto weighed = [](int ago) {
        PeerRecord record(kToday, kToday - Days(500));
        record.add(kToday - Days(ago), {1, 3, 1, 0, 0});
        CHECK(record.recipients() == 3 * record.bad());
        return record.bad();
    };
    CHECK(weighed(0) == 8);
    CHECK(weighed(29) == 8);
    CHECK(weighed(30) == 4);
    CHECK(weighed(59) == 4);
    CHECK(weighed(60) == 2);
    CHECK(weighed(90) == 1);
    CHECK(weighed(119) == 1);
    CHECK(weighed(120) == 0);
}

TEST_CASE("who was bad is forgiven with time, and who has been silent is new again") {
    const PeerFigures flood{0, 800, 800, 0, 0};
    CHECK(class_of(old_friend(5, flood)) == PeerClass::blocked);
    CHECK(class_of(old_friend(35, flood)) == PeerClass::poor);
    const PeerFigures wave{0, 400, 400, 0, 0};
    CHECK(class_of(old_friend(65, wave)) == PeerClass::poor);
    CHECK(class_of(old_friend(95, wave)) == PeerClass::known);
    PeerRecord silent(kToday, kToday - Days(500));
    silent.add(kToday - Days(120), {100, 100, 0, 0, 0});
    CHECK(class_of(silent) == PeerClass::newcomer);
    // Even who was blocked, and is not heard since: it would have to stay bad to stay so.
    PeerRecord blocked(kToday, kToday - Days(500));
    blocked.add(kToday - Days(35), {100, 100, 100, 0, 0});
    CHECK(class_of(blocked) == PeerClass::poor);
    PeerRecord poor(kToday, kToday - Days(500));
    poor.add(kToday - Days(91), {70, 70, 70, 0, 0});
    CHECK(class_of(poor) == PeerClass::newcomer);
}

TEST_CASE("the example of the manual page") {
    PeerRecord record(kToday, kToday - Days(70));
    for (int i = 0; i < 10; ++i) {
        record.add(kToday - Days(i), {10, 12, 0, 0, 0});
        record.add(kToday - Days(40 + i), {20, 30, 2, 1, 0});
    }
    CHECK(record.bad() == 8 * 0 + 4 * (20 + 2 * 10));
    CHECK(record.recipients() == 8 * 120 + 4 * 300);
    // 160 of 2160 are 7 in 100.
    CHECK(class_of(record) == PeerClass::known);
}

TEST_CASE("what is said by hand counts alone") {
    for (const PeerClass said : {PeerClass::trusted, PeerClass::limited, PeerClass::blocked}) {
        PeerRecord record = old_friend(0, {10, 10, 0, 0, 0});
        record.by_hand = said;
        CHECK(class_of(record) == said);
        CHECK(queue::parse_class_by_hand(queue::to_text(said)).value() == said);
    }
    CHECK(class_of(old_friend(0, {10, 10, 0, 0, 0})) == PeerClass::good);
    CHECK_FALSE(queue::parse_class_by_hand("good"));
    CHECK_FALSE(queue::parse_class_by_hand(""));
    CHECK(queue::parse_class("new").value() == PeerClass::newcomer);
    CHECK(queue::parse_class("blocked").value() == PeerClass::blocked);
    CHECK_FALSE(queue::parse_class(""));
    CHECK_FALSE(queue::parse_class("New"));
}

TEST_CASE("a day that has not come counts as today, and a domain that will be first seen is new") {
    PeerRecord record(kToday, kToday + Days(3000));
    record.add(kToday + Days(1), {5, 5, 1, 0, 0});
    CHECK(record.age() == Days(0));
    CHECK(record.periods()[0].unknown == 1);
}

TEST_CASE("a list makes the class, unless a person has said another") {
    PeerRecord friendly = record(99, 50, {5, 5, 0, 0, 0});
    REQUIRE(class_of(friendly) == PeerClass::good);
    CHECK_FALSE(is_made_by_list(friendly));
    for (const PeerClass listed : {PeerClass::blocked, PeerClass::limited, PeerClass::trusted}) {
        friendly.listed = listed;
        CHECK(class_of(friendly) == listed);
        CHECK(is_made_by_list(friendly));
    }
    friendly.by_hand = PeerClass::limited;
    CHECK(class_of(friendly) == PeerClass::limited);
    CHECK_FALSE(is_made_by_list(friendly));
}

TEST_CASE("others' praise makes a domain good, and excuses nothing") {
    PeerRecord stranger(kToday, kToday);
    stranger.listed = PeerClass::good;
    CHECK(class_of(stranger) == PeerClass::good);
    CHECK(is_made_by_list(stranger));
    PeerRecord known = record(99, 5, {1, 1, 0, 0, 0});
    known.listed = PeerClass::good;
    CHECK(class_of(known) == PeerClass::good);
    PeerRecord poor = record(2, 3, {5, 5, 5, 0, 0});
    poor.listed = PeerClass::good;
    CHECK(class_of(poor) == PeerClass::poor);
    CHECK_FALSE(is_made_by_list(poor));
    PeerRecord friendly = record(99, 50, {5, 5, 0, 0, 0});
    friendly.listed = PeerClass::good;
    CHECK(class_of(friendly) == PeerClass::good);
    CHECK_FALSE(is_made_by_list(friendly));
}
