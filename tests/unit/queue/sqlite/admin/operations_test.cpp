#include "queue/sqlite/admin/operations.hpp"

#include "queue/sqlite/admin/inspection.hpp"
#include "queue/sqlite/delivery/quarantine.hpp"
#include "queue/sqlite/delivery/quarantine_expiry.hpp"
#include "support/queue/damaged_page.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;
using queue::Verb;

namespace {

/// All steps of `verb`.
queue::Operated operate(StoreFixture& queue, Verb verb, const queue::Selection& selection = {}) {
    queue::Operated sum;
    do {
        const auto step = queue
                              .transact([&](queue::Store& s) {
                                  return queue::operate(s, verb, selection, sum.next);
                              })
                              .value();
        sum.changed += step.changed;
        sum.at_work += step.at_work;
        sum.other += step.other;
        sum.unclear += step.unclear;
        sum.refused.insert(sum.refused.end(), step.refused.begin(), step.refused.end());
        queue::add_all(sum.touched, step.touched);
        sum.next = step.next;
    } while (sum.next);
    return sum;
}

queue::Selection only(queue::QueueId id) {
    queue::Selection selection;
    selection.ids = {id};
    return selection;
}

std::int64_t in_state(StoreFixture& queue, queue::State state) {
    return queue.count("SELECT COUNT(*) FROM recipient WHERE state = " +
                       std::to_string(static_cast<int>(state)));
}

}  // namespace

TEST_CASE("the administrator means mail by id, address, domain, age, state and lane") {
    StoreFixture queue;
    const auto old = queue.add(arrival("alice@a.test", {"bob@b.test", "Carol@C.test"}));
    queue.clock.advance(std::chrono::hours(2));
    queue.add(arrival("news@lists.a.test", {"bob@b.test"}));
    queue.add(arrival("", {"alice@a.test"}));
    const auto found = [&](const std::function<void(queue::Selection&)>& fill) {
        queue::Selection selection;
        fill(selection);
        return queue::select(queue.store().database(), selection, std::nullopt, 100).found.size();
    };
    CHECK(found([](auto&) {}) == 4);
    CHECK(found([&](auto& s) { s.ids = {old}; }) == 2);
    CHECK(found([&](auto& s) { s.ids = {queue::QueueId{7}}; }) == 0);
    CHECK(found([](auto& s) { s.to = "bob@b.test"; }) == 2);
    CHECK(found([](auto& s) { s.to = "carol@c.test"; }) == 1);
    CHECK(found([](auto& s) { s.from = "alice@a.test"; }) == 2);
    CHECK(found([](auto& s) { s.domain = "C.TEST"; }) == 1);
    CHECK(found([](auto& s) { s.domain = "test"; }) == 0);
    CHECK(found([](auto& s) { s.sender_domain = "lists.a.test"; }) == 1);
    CHECK(found([](auto& s) { s.lane = queue::Lane::local; }) == 1);
    CHECK(found([](auto& s) { s.states = {queue::State::held}; }) == 0);
    CHECK(found([&](auto& s) { s.before = queue.clock.now() - std::chrono::hours(1); }) == 2);
    CHECK(found([&](auto& s) { s.after = queue.clock.now() - std::chrono::hours(1); }) == 2);
}

TEST_CASE("held mail is not tried, whatever becomes of its peer, and goes on when it is released") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    CHECK(operate(queue, Verb::hold, only(id)).changed == 1);
    CHECK(queue.lease().size() == 1);
    CHECK(queue.wake(kToB) == 0);
    CHECK(queue.lease().empty());
    queue.open();  // nor is it by a restart
    CHECK(queue.lease().size() == 1);

    const auto released = operate(queue, Verb::release, only(id));
    CHECK(released.changed == 1);
    CHECK(released.touched == queue::DueNow{kToB});
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("what is being delivered is passed over, and counted") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    REQUIRE(queue.lease().size() == 1);
    for (const Verb verb : {Verb::flush, Verb::hold, Verb::retry, Verb::cancel, Verb::bounce}) {
        const auto done = operate(queue, verb);
        CHECK(done.changed == 0);
        CHECK(done.at_work == 1);
    }
    CHECK(operate(queue, Verb::release).at_work == 1);
    CHECK(in_state(queue, queue::State::leased) == 1);
}

TEST_CASE("a flush makes what waits due, and leaves what is held") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto held = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    operate(queue, Verb::hold, only(held));
    queue.settle({all(queue.lease()[0], unreachable())});
    CHECK(queue.lease().empty());
    const auto done = operate(queue, Verb::flush);
    CHECK(done.changed == 1);
    CHECK(done.other == 1);
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("a retry routes anew what was never sent, and nothing else") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.settle({all(queue.lease()[0], unreachable())});  // sent, without a verdict
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    // a.test is served by another component now.
    queue.use_router(queue::Router({{domain("a.test"), "post.a.test"}}, "post.a.test"));
    CHECK(operate(queue, Verb::retry).changed == 2);
    const queue::Destination anew{queue::Lane::xmpp, "post.a.test", "b.test"};
    CHECK(queue.lease(anew).size() == 1);
    CHECK(queue.lease().size() == 1);
}

TEST_CASE("cancelled mail ends in silence, bounced mail with a report") {
    StoreFixture queue;
    queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    SECTION("cancel") {
        CHECK(operate(queue, Verb::cancel).changed == 2);
        CHECK(in_state(queue, queue::State::discarded) == 2);
        CHECK(queue.lease(kLocal, kOneByOne).empty());
    }
    SECTION("bounce") {
        const auto done = operate(queue, Verb::bounce);
        CHECK(done.changed == 2);
        CHECK(done.touched == queue::DueNow{kLocal});
        CHECK(in_state(queue, queue::State::bounced) == 2);
        const auto reports = queue.lease(kLocal, kOneByOne);
        REQUIRE(reports.size() == 1);
        CHECK(reports[0].content.bytes().find("administrator of mx.a.test sent it back") !=
              std::string_view::npos);
    }
    SECTION("what was sent may have arrived, and that is said") {
        queue.settle({all(queue.lease()[0], unreachable())});
        CHECK(operate(queue, Verb::bounce).unclear == 2);
        const auto reports = queue.lease(kLocal, kOneByOne);
        REQUIRE(reports.size() == 1);
        CHECK(reports[0].content.bytes().find("can't be excluded") != std::string_view::npos);
    }
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE pending = 0") == 1);
}

TEST_CASE("a bounced mail of a peer is reported to its component") {
    StoreFixture queue;
    queue.add(from_peer());
    CHECK(operate(queue, Verb::bounce).touched == queue::DueNow{kReportToB});
}

TEST_CASE("quarantine ends when the message is whole again, or when it is given up") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test"}));
    queue.transact([&](queue::Store& s) {
        s.database().execute("UPDATE content SET bytes = x'00'"_sql);
        return 0;
    });
    CHECK(queue.lease().empty());
    const auto no = operate(queue, Verb::release, only(id));
    CHECK(no.changed == 0);
    REQUIRE(no.refused.size() == 1);
    CHECK(no.refused[0].find("another size") != std::string::npos);
    SECTION("mended") {
        queue.transact([&](queue::Store& s) {
            s.database().execute(
                "UPDATE content SET bytes = CAST('Subject: hello' || char(13,10) || "
                "'Message-ID: <1@a.test>' || char(13,10,13,10) || 'Hi.' || char(13,10) AS BLOB)"
                " WHERE length(bytes) = 1"_sql);
            return 0;
        });
        CHECK(operate(queue, Verb::release, only(id)).changed == 1);
        CHECK(queue.lease().size() == 1);
    }
    SECTION("given up, though not even its own row is left") {
        queue.transact([&](queue::Store& s) {
            s.database().execute("DELETE FROM message WHERE sender <> ''"_sql);
            return 0;
        });
        CHECK(operate(queue, Verb::bounce, only(id)).refused.size() == 1);
        CHECK(operate(queue, Verb::cancel, only(id)).changed == 1);
        CHECK(queue::select(queue.store().database(), only(id), std::nullopt, 10).found.empty());
    }
}

TEST_CASE("however much there is, each of it is changed once, in steps") {
    StoreFixture queue;
    const std::vector<std::string> many(90, "bob@b.test");
    for (int i = 0; i < 7; ++i)
        queue.add(arrival("alice@a.test", many));
    CHECK(operate(queue, Verb::hold).changed == 630);
    CHECK(operate(queue, Verb::release).changed == 630);
    CHECK(operate(queue, Verb::cancel).changed == 630);
    CHECK(queue.count("SELECT COUNT(*) FROM content") == 0);
}

TEST_CASE(
    "a damaged recipient costs the others of its message neither their report nor their end") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    queue.settle({all(queue.lease()[0], unreachable())});
    const auto damage = [](queue::Store& s) {
        s.database().execute("UPDATE recipient SET address = 'x' WHERE n = 1"_sql);
        return 0;
    };
    queue.transact(damage);
    SECTION("an administrator sends it back") {
        const auto done = operate(queue, Verb::bounce, only(id));
        CHECK(done.refused.size() == 1);
        CHECK(done.changed == 0);
        CHECK(done.unclear == 0);
    }
    SECTION("it expires in quarantine") {
        queue.clock.advance(std::chrono::hours(1));
        queue.transact([&](queue::Store& s) { return queue::quarantine(s, id, "test"); }).value();
        queue.clock.advance(std::chrono::hours(24 * 6));
        queue.transact([](queue::Store& s) { return queue::expire_quarantine(s); }).value().due_now;
    }
    CHECK(queue.count("SELECT COUNT(*) FROM recipient r JOIN message m ON m.id = r.message"
                      " WHERE m.sender <> '' AND r.state >= 5") == 0);
    CHECK(queue.count("SELECT pending FROM message WHERE sender <> ''") == 2);
}

TEST_CASE("a message leaves quarantine as a whole, whichever of its recipients are named") {
    StoreFixture queue;
    const auto id = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    queue.transact([&](queue::Store& s) { return queue::quarantine(s, id, "test"); }).value();
    queue::Selection bob;
    bob.to = "bob@b.test";
    CHECK(operate(queue, Verb::release, bob).changed == 2);
    CHECK(queue.count("SELECT COUNT(*) FROM message WHERE damage IS NOT NULL") == 0);
    CHECK(in_state(queue, queue::State::held) == 0);
}

TEST_CASE("a walk in steps finds each recipient once, wherever a step ends") {
    StoreFixture queue;
    std::vector<queue::QueueId> ids;
    for (int i = 0; i < 3; ++i)
        ids.push_back(
            queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test", "dave@b.test"})));
    const auto by_ids = GENERATE(false, true);
    CAPTURE(by_ids);
    queue::Selection selection;
    if (by_ids) selection.ids = {ids[2], ids[0]};
    for (const std::size_t step : {1, 2, 4, 100}) {
        CAPTURE(step);
        std::vector<std::pair<queue::QueueId, std::uint32_t>> seen;
        std::optional<queue::Selected> after;
        for (;;) {
            const auto page = queue::select(queue.store().database(), selection, after, step);
            for (const auto& each : page.found)
                seen.emplace_back(each.message, each.n);
            if (!page.next || seen.size() > 100) break;
            after = page.next;
        }
        std::vector<std::pair<queue::QueueId, std::uint32_t>> all;
        for (const auto id : by_ids ? std::vector{ids[0], ids[2]} : ids) {
            for (std::uint32_t n = 0; n < 3; ++n)
                all.emplace_back(id, n);
        }
        CHECK(seen == all);
    }
}

TEST_CASE("a walk looks at a bounded number in each step, however few it is about") {
    StoreFixture queue;
    const std::vector<std::string> everybody(1000, "bob@b.test");
    for (int i = 0; i < 4; ++i)
        queue.add(arrival("alice@a.test", everybody));
    const auto id = queue.add(arrival("alice@a.test", {"nobody@b.test", "carol@b.test"}));
    queue::Selection selection;
    selection.to = "nobody@b.test";
    // It is found by its id at once, and by its address behind all the others.
    queue::Selection by_id = selection;
    by_id.ids = {id};
    CHECK(queue::select(queue.store().database(), by_id, std::nullopt, 10).found.size() == 1);
    std::optional<queue::Selected> after;
    std::int64_t changed = 0;
    int steps = 0;
    do {
        const auto done = queue
                              .transact([&](queue::Store& s) {
                                  return queue::operate(s, Verb::hold, selection, after);
                              })
                              .value();
        changed += done.changed;
        after = done.next;
        if (steps++ == 0) CHECK(changed == 0);
    } while (after && steps < 20);
    CHECK(changed == 1);
    CHECK(steps >= 4);
    CHECK(steps < 20);
    CHECK(in_state(queue, queue::State::held) == 1);
}

TEST_CASE("a list comes in pages, each recipient once") {
    StoreFixture queue;
    for (int i = 0; i < 5; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test", "dave@b.test"}));
    std::set<std::pair<queue::QueueId, std::uint32_t>> seen;
    std::optional<queue::Selected> after;
    std::size_t rows = 0;
    do {
        const auto page = queue::list(queue.store().database(), {}, after, 4);
        CHECK(page.rows.size() <= 4);
        for (const auto& row : page.rows)
            seen.emplace(row.id, row.n);
        rows += page.rows.size();
        after = page.next;
    } while (after && rows < 100);
    CHECK(rows == 15);
    CHECK(seen.size() == 15);
}

TEST_CASE("a page of a list looks behind many that are not meant") {
    StoreFixture queue;
    std::vector<std::string> to(1500, "bob@b.test");
    to.push_back("carol@b.test");
    queue.add(arrival("alice@a.test", to));
    queue::Selection selection;
    selection.to = "carol@b.test";
    const auto page = queue::list(queue.store().database(), selection, {}, 10);
    REQUIRE(page.rows.size() == 1);
    CHECK(page.rows[0].address == "carol@b.test");
}

TEST_CASE("the administrator means a domain and its addresses in either spelling") {
    StoreFixture queue;
    const std::string u =
        "B\xC3\xBC"
        "cher.test";
    const std::string a = "xn--bcher-kva.test";
    queue.add(arrival("alice@a.test", {"eva@" + u}));
    queue.add(arrival("alice@a.test", {"eva@" + a}));
    queue.add(arrival("eva@" + u, {"bob@b.test"}));
    queue.add(arrival("eva@" + a, {"bob@b.test"}));
    const auto found = [&](const std::function<void(queue::Selection&)>& fill) {
        queue::Selection selection;
        fill(selection);
        return queue::select(queue.store().database(), selection, std::nullopt, 100).found.size();
    };
    for (const auto& spelling : {u, a,
                                 std::string("b\xC3\x9C"
                                             "CHER.test")}) {
        CAPTURE(spelling);
        CHECK(found([&](auto& s) { s.domain = spelling; }) == 2);
        CHECK(found([&](auto& s) { s.sender_domain = spelling; }) == 2);
        CHECK(found([&](auto& s) { s.to = "Eva@" + spelling; }) == 2);
        CHECK(found([&](auto& s) { s.from = "eva@" + spelling; }) == 2);
        CHECK(queue.trace("eva@" + spelling).size() == 4);
    }
}

TEST_CASE("what has no index is searched in bounded steps, the newest first") {
    StoreFixture queue;
    const auto oldest = queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    constexpr std::size_t kOthers = 2500;
    for (std::size_t i = 0; i < kOthers; ++i)
        queue.add(arrival("eva@a.test", {"bob@b.test"}));
    const auto newest = queue.add(arrival("carol@b.test", {"alice@a.test"}));
    queue::Search search;
    int steps = 0;
    while (search.next != queue::Search::Next::nothing) {
        queue::go_on(queue.store().database(), "carol@b.test", search);
        REQUIRE(++steps < 100);
    }
    // One by ids, 3 among the Message-IDs, and 26 among the addresses.
    CHECK(steps == 30);
    CHECK(search.found == std::vector{newest, oldest});
    CHECK(queue.trace("dora@b.test").empty());
    CHECK(queue.trace("no-such-id").empty());

    // What is called so is newer than all that would have to be looked at.
    search = {queue::Search::Next::address, queue::QueueId{INT64_MAX}, {}};
    queue::go_on(queue.store().database(), "eva@a.test", search);
    CHECK(search.next == queue::Search::Next::nothing);
    CHECK(search.found.size() == 20);
}

TEST_CASE("a list has what is on a damaged page, too") {
    StoreFixture queue;
    constexpr std::size_t kMessages = 200;
    for (std::size_t i = 0; i < kMessages; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test", "carol@b.test"}));
    const auto hurt = static_cast<std::size_t>(overwrite_second_leaf(queue, "message"));
    REQUIRE(hurt > 1);
    const auto listed = [&](const queue::Selection& selection) {
        std::vector<queue::ListedRecipient> rows;
        std::optional<queue::Selected> after;
        do {
            auto page = queue::list(queue.store().database(), selection, after, 50);
            std::ranges::move(page.rows, std::back_inserter(rows));
            after = page.next;
        } while (after);
        return rows;
    };
    const auto all = listed({});
    CHECK(all.size() == 2 * kMessages);
    const auto damaged = std::ranges::count_if(all, [](const queue::ListedRecipient& row) {
        return row.is_unreadable && row.sender == "?" && row.address.ends_with("@b.test") &&
               row.destination == kToB;
    });
    CHECK(static_cast<std::size_t>(damaged) == 2 * hurt);
    // What is known of the recipient counts, and what is not known of the message is not taken for
    // anything.
    queue::Selection to_carol;
    to_carol.to = "carol@b.test";
    CHECK(listed(to_carol).size() == kMessages);
    queue::Selection from_alice;
    from_alice.from = "alice@a.test";
    CHECK(listed(from_alice).size() == 2 * (kMessages - hurt));
}
