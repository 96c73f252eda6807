#include "queue/sqlite/store/complaint_rows.hpp"

#include "support/catch_result.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;

namespace {

int prune_rows(StoreFixture& queue) {
    return queue.transact([](queue::Store& s) { return queue::prune_complaints(s); });
}
void fill_received(StoreFixture& queue, std::int64_t from, std::int64_t many) {
    queue.store().database().connection().exec(fmt::format(
        "WITH RECURSIVE n(i) AS (SELECT {0} UNION ALL SELECT i + 1 FROM n WHERE i < {0} + {1} - 1)"
        " INSERT INTO received_transfer SELECT i, 'id' || i, 'b.test', 'mail.b.test',"
        " 'mail.a.test', {2}, x'', x'', 0, 0, NULL FROM n",
        from, many, queue::to_millis(queue.clock.now())));
}
std::int64_t received(StoreFixture& queue) {
    return queue.count("SELECT COUNT(*) FROM received_transfer");
}

}  // namespace

TEST_CASE("a tag stands for an address in one transfer, and in whatever case") {
    const queue::TransferKey key{domain("b.test"), "01"};
    const auto tag = queue::complaint_tag_of_address(key, "alice@a.test");
    CHECK(tag.size() == 8);
    CHECK(queue::complaint_tag_of_address(key, "Alice@A.TEST") == tag);
    CHECK(queue::complaint_tag_of_address(key, "alicia@a.test") != tag);
    CHECK(queue::complaint_tag_of_address({domain("b.test"), "02"}, "alice@a.test") != tag);
    CHECK(queue::complaint_tag_of_address({domain("c.test"), "01"}, "alice@a.test") != tag);
    CHECK(queue::complaint_tag_of_address(key, "eva@xn--bcher-kva.test") ==
          queue::complaint_tag_of_address(key, "eva@b\u00fccher.test"));
    CHECK(queue::complaint_tag_of_address(key, "no address").size() == 8);
}

TEST_CASE("what is too old to be complained of goes, with its votes, in steps") {
    StoreFixture queue;
    const auto most = static_cast<std::int64_t>(base::limits::kPruned);
    fill_received(queue, 1, most + 20);
    auto& connection = queue.store().database().connection();
    connection.exec("INSERT INTO complaint_vote VALUES (7, x'00', 1, 0)");
    connection.exec(
        "INSERT INTO sender_complaint VALUES ('alice@a.test', 'b.test', 0, 1, 0, 1, 0, '')");
    connection.exec("INSERT INTO complaint_share VALUES ('b.test', 0, 1, 1)");
    queue.clock.advance(std::chrono::hours(24 * 29));
    fill_received(queue, most + 21, 1);
    prune_rows(queue);
    CHECK(received(queue) == most + 21);
    CHECK(queue.count("SELECT COUNT(*) FROM complaint_vote") == 1);
    queue.clock.advance(std::chrono::hours(25));
    CHECK(prune_rows(queue) == most);
    while (prune_rows(queue) > 0) {
    }
    CHECK(received(queue) == 1);
    for (const char* const table : {"complaint_vote", "sender_complaint", "complaint_share"})
        CHECK(queue.count(std::string("SELECT COUNT(*) FROM ") + table) == 0);
}

TEST_CASE("days that have not come yet go, and today stays") {
    StoreFixture queue;
    const auto today = queue.clock.now().time_since_epoch() / std::chrono::days(1);
    for (const auto day : {today, today + 1, today + 400})
        queue.store().database().connection().exec(
            fmt::format("INSERT INTO sender_complaint VALUES ('alice@a.test', 'b.test', {0}, 1, 0,"
                        " 1, 0, ''); INSERT INTO complaint_share VALUES ('b.test', {0}, 1, 1)",
                        day));
    CHECK(prune_rows(queue) == 2);
    for (const char* const table : {"sender_complaint", "complaint_share"})
        CHECK(queue.count(std::string("SELECT SUM(day) FROM ") + table) == today);
    CHECK(prune_rows(queue) == 0);
}

TEST_CASE("beyond their bound the oldest rows go") {
    StoreFixture queue;
    fill_received(queue, 1, 10);
    fill_received(queue, queue::kComplaintRows + 4, 1);
    CHECK(prune_rows(queue) == 4);
    CHECK(received(queue) == 7);
    CHECK(prune_rows(queue) == 0);
}

TEST_CASE("an organisation has so many rows kept a day, under whatever names") {
    StoreFixture queue;
    queue.store().database().connection().exec(
        fmt::format("INSERT INTO complaint_share VALUES ('b.test', {}, {}, 0)",
                    queue.clock.now().time_since_epoch() / std::chrono::days(1),
                    queue::kKeptOfOrganisation - 1));
    const auto keep = [&](const char* from, const char* id) {
        queue.transact([&](queue::Store& s) {
            auto came = arrival("", {"alice@a.test"});
            came.transfer = queue::ReceivedTransfer{
                {domain(from), id}, "mail.b.test", "mail.a.test", {}, queue.clock.now(), {}};
            queue::keep_received(s, came);
            return 0;
        });
        return received(queue);
    };
    CHECK(keep("x.b.test", "01") == 0);  // complaints are off
    queue.complaints({true, true});
    CHECK(keep("x.b.test", "01") == 1);
    CHECK(keep("y.b.test", "02") == 1);
    CHECK(keep("c.test", "03") == 2);
}
