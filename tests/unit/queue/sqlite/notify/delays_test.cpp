#include "queue/sqlite/notify/delays.hpp"

#include "queue/peer_report.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

queue::DelaySweep sweep(StoreFixture& queue, queue::QueueId after = {}) {
    return queue.transact([&](queue::Store& s) { return queue::warn_of_delays(s, after); }).value();
}
bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace

// RFC 3461 5.2.5, RFC 3464 2.3.9.
TEST_CASE("alice hears once of a delay, with the reason and until when it is tried") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    queue.settle({all(leased[0], unreachable())});
    queue.clock.advance(3h);
    auto swept = sweep(queue);
    CHECK(swept.due_now.empty());
    queue.clock.advance(1h + 1s);
    swept = sweep(queue, swept.seen);
    CHECK(swept.due_now == queue::DueNow{kLocal});
    const auto reports = queue.lease(kLocal, kOneByOne);
    REQUIRE(reports.size() == 1);
    const auto text = reports[0].content.bytes();
    CHECK(contains(text, "Subject: Your message is delayed"));
    CHECK(contains(text, "Action: delayed"));
    CHECK(contains(text, "Status: 4.4.1"));
    CHECK(contains(text, "Will-Retry-Until: "));
    CHECK(contains(text, "no answer"));
    // The header only, and only once, even if all is looked at again.
    CHECK(contains(text, "text/rfc822-headers"));
    queue.settle({all(reports[0], delivered())});
    CHECK(sweep(queue).due_now.empty());
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

// RFC 3461 5.2.5.
TEST_CASE("nobody hears of a delay who did not want to: NOTIFY, a null sender, no warning set") {
    StoreFixture queue;
    auto mail = arrival("alice@a.test", {"bob@b.test"});
    mail.envelope.recipients[0].notify.failure = true;
    queue.add(mail);
    queue.add(arrival("", {"bob@b.test"}));
    queue.clock.advance(5h);
    CHECK(sweep(queue).due_now.empty());
}

TEST_CASE("of a delay of a peer's mail its component is told, which tells its own user") {
    StoreFixture queue;
    queue.add(from_peer());
    queue.clock.advance(5h);
    CHECK(sweep(queue).due_now == queue::DueNow{kReportToB});
    const auto reports = queue.lease(kReportToB, kOneByOne);
    REQUIRE(reports.size() == 1);
    const auto report = queue::decode_peer_report(reports[0].content.bytes());
    REQUIRE(report);
    CHECK(report->recipients.at(0).action == mail::Action::delayed);
}

TEST_CASE("however many wait, each sender is warned, in bounded steps") {
    StoreFixture queue;
    const std::vector<std::string> everybody(300, "bob@b.test");
    for (int i = 0; i < 5; ++i)
        queue.add(arrival("alice@a.test", everybody));
    queue.clock.advance(5h);
    queue::DelaySweep swept;
    int steps = 0;
    while (swept.more && ++steps < 20)
        swept = sweep(queue, swept.seen);
    CHECK(steps > 1);
    CHECK(steps < 20);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE warned = 1") == 1500);
}

TEST_CASE("the sweep gets beyond a message of which nothing can be read") {
    const auto [sql, reports] = GENERATE(table<const char*, std::size_t>({
        {"UPDATE recipient SET address = 'nobody can read this' WHERE message = ?", 1},
        {"UPDATE message SET sender = 'nor this' WHERE id = ?", 1},
    }));
    CAPTURE(sql);
    StoreFixture queue;
    const std::vector<std::string> everybody(base::limits::kPruned + 100, "bob@b.test");
    const auto damaged = queue.add(arrival("alice@a.test", everybody));
    queue.clock.advance(1s);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.transact([&, text = sql](queue::Store& s) {
        SQLite::Statement damage(s.database().connection(), text);
        damage.bind(1, damaged.value);
        damage.exec();
        return 0;
    });
    queue.clock.advance(5h);
    queue::DelaySweep swept;
    int steps = 0;
    while (swept.more && ++steps < 20)
        swept = sweep(queue, swept.seen);
    CHECK(steps < 20);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE warned = 0 AND state = 1") ==
          static_cast<std::int64_t>(reports));  // the report itself, which is new
}

TEST_CASE("a sweep past many that were warned takes bounded steps, and warns what was released") {
    StoreFixture queue;
    const std::vector<std::string> everybody(1000, "bob@b.test");
    for (int i = 0; i < 11; ++i)
        queue.add(arrival("alice@a.test", everybody));
    queue.transact([](queue::Store& s) {
        s.database().connection().exec("UPDATE recipient SET warned = 1");
        return 0;
    });
    queue.clock.advance(1s);
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.clock.advance(5h);
    queue::DelaySweep swept = sweep(queue);
    CHECK(swept.more);
    CHECK(swept.due_now.empty());
    int steps = 1;
    for (; swept.more && steps < 20; ++steps)
        swept = sweep(queue, swept.seen);
    CHECK(steps == 3);
    CHECK(swept.due_now == queue::DueNow{kLocal});
}
