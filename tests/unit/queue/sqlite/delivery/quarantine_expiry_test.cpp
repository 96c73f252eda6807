#include "queue/sqlite/delivery/quarantine_expiry.hpp"

#include "queue/sqlite/delivery/quarantine.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("quarantine that has expired is ended in steps, past what can't be told") {
    StoreFixture queue;
    for (int i = 0; i < 120; ++i) {
        const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
        queue.transact([&](queue::Store& s) { return queue::quarantine(s, id, "test"); }).value();
        if (i % 3 == 0) {
            queue.transact([&](queue::Store& s) {
                auto statement =
                    s.database().query("UPDATE recipient SET address = 'x' WHERE message = ?1"_sql);
                statement.bind(id.value).run();
                return 0;
            });
        }
    }
    const auto ended = [&] {
        return queue.count("SELECT COUNT(*) FROM recipient WHERE state = 8");
    };
    queue.clock.advance(std::chrono::hours(24 * 6));
    std::optional<queue::QuarantineStep::Place> behind = queue::QuarantineStep::Place();
    int steps = 0;
    while (behind && steps < 10) {
        const auto before = ended();
        behind =
            queue.transact([&](queue::Store& s) { return queue::expire_quarantine(s, *behind); })
                .value()
                .next;
        CHECK(ended() - before <= 50);
        ++steps;
    }
    CHECK(steps == 3);
    CHECK(ended() == 80);
}
