// What becomes of all that waits of a destination, however much that is.
#include "queue/sqlite/delivery/deferral.hpp"

#include "queue/sqlite/admin/verify.hpp"
#include "support/queue/fixture.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace support;
using namespace std::chrono_literals;

namespace {

struct Crowd : StoreFixture {
    /// So many messages for so many recipients each.
    void add_some(int messages, std::size_t recipients, std::size_t size = 10) {
        const std::vector<std::string> to(recipients, "bob@b.test");
        for (int i = 0; i < messages; ++i)
            add(arrival("alice@a.test", to, std::string(size, 'x')));
    }
    queue::Stepped step(const queue::WaitingPlace& behind = {}) {
        const queue::Silence silence{unreachable(), clock.now() + 60s, clock.now()};
        return transact(
                   [&](queue::Store& s) { return queue::defer_some(s, kToB, silence, behind); })
            .value();
    }
    std::int64_t in_state(queue::State state) {
        return count("SELECT COUNT(*) FROM recipient WHERE destination = 1 AND state = " +
                     std::to_string(static_cast<int>(state)));
    }
};

constexpr auto kRows = static_cast<std::int64_t>(queue::kStepRows);

}  // namespace

TEST_CASE("a destination is put off in steps of so many recipients, and none is missed") {
    Crowd queue;
    constexpr auto kAll = 3 * (kRows - 10);
    queue.add_some(3, kRows - 10);
    const auto first = queue.step();
    CHECK(first.changed == kRows);
    CHECK(queue.in_state(queue::State::deferred) == kRows);
    REQUIRE(first.next);
    const auto second = queue.step(*first.next);
    CHECK(second.changed == kRows);
    const auto third = queue.step(second.next.value());
    CHECK(third.changed == kAll - 2 * kRows);
    CHECK_FALSE(third.next);
    CHECK(queue.in_state(queue::State::deferred) == kAll);
    CHECK(queue.count("SELECT COUNT(*) FROM event WHERE what = 'deferred'") == kAll);
    // The same reason again is no news.
    queue.clock.advance(60s);
    queue.defer(kToB, unreachable(), queue.clock.now() + 60s);
    CHECK(queue.count("SELECT COUNT(*) FROM event WHERE what = 'deferred'") == kAll);
    CHECK(queue.count("SELECT MIN(attempts) FROM recipient") == 2);
}

TEST_CASE("what has expired is ended in steps, each with so many reports and bytes") {
    Crowd queue;
    const bool large = GENERATE(false, true);
    const std::size_t size = large ? base::limits::kInlineContent : 10;
    const auto most =
        large ? static_cast<int>(queue::kStepBytes / size) : static_cast<int>(queue::kStepEnded);
    queue.add_some(2 * most + 1, 1, size);
    queue.clock.advance(24h * 5);
    const auto first = queue.step();
    CHECK(queue.in_state(queue::State::expired) == most);
    CHECK(first.due_now == queue::DueNow{kLocal});
    REQUIRE(first.next);
    // Between two steps other mail comes, and has its turn.
    queue.add_some(1, 1);
    queue.defer(kToB, unreachable(), queue.clock.now() + 60s);
    CHECK(queue.in_state(queue::State::expired) == 2 * most + 1);
    CHECK(queue.in_state(queue::State::deferred) == 1);
    CHECK(queue::verify(queue.store().database(), {}).empty());
}

TEST_CASE("what expires and can't be read goes to quarantine, and holds no other") {
    Crowd queue;
    queue.add_some(3, 1);
    queue.transact([](queue::Store& s) {
        s.database().connection().exec(
            "UPDATE recipient SET address = 'x' WHERE message = (SELECT MIN(id) FROM message)");
        return 0;
    });
    queue.clock.advance(24h * 5);
    queue.defer(kToB, unreachable(), queue.clock.now() + 60s);
    CHECK(queue.in_state(queue::State::expired) == 2);
    CHECK(queue.in_state(queue::State::held) == 1);
}

TEST_CASE("a wake goes on behind what is not to be woken, in steps") {
    Crowd queue;
    queue.add_some(2, 600);
    const auto greylisted =
        queue::Deferred{reply(450, "4.7.1", "not yet"), "mail.b.test", true, {}};
    queue.defer(kToB, greylisted, queue.clock.now() + 60s);
    queue.add_some(1, 30);
    queue.defer(kToB, unreachable(), queue.clock.now() + 90s);
    const auto first =
        queue.transact([](queue::Store& s) {
                 return queue::wake_some(s, {kToB, {}});
             })
            .value();
    CHECK(first.changed == 0);
    CHECK(first.next);
    CHECK(queue.wake(kToB) == 30);
    CHECK(queue.lease().size() == 1);
    // Its peer has left: nothing waits for anything any more.
    const auto next = queue
                          .transact([&](queue::Store& s) {
                              return queue::wake_some(s, {kToB, *first.next, true});
                          })
                          .value();
    CHECK(next.changed > 0);
}

TEST_CASE("a destination is moved in steps, but for what may have been sent") {
    Crowd queue;
    queue.add_some(1, 1000);
    queue.settle({all(queue.lease().at(0), unreachable())});
    queue.add_some(1, 1000);
    const auto first =
        queue.transact([](queue::Store& s) { return queue::reroute_some(s, kToB, "gone"); })
            .value();
    CHECK(first.changed <= kRows);
    REQUIRE(first.next);
    CHECK(queue.reroute(kToB, "gone") == queue::DueNow{kRelay});
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE destination = 1") == 1000);
    CHECK(queue.count("SELECT COUNT(*) FROM recipient WHERE destination <> 1") == 1000);
}

TEST_CASE(
    "mail of a component that was renamed goes by its heir, but for what may have been sent") {
    Crowd queue;
    queue.add_some(1, 1000);
    queue.settle({all(queue.lease().at(0), unreachable())});
    queue.add_some(1, 1000);
    const auto turn = [&] {
        queue::RerouteStep all;
        for (std::optional<queue::WaitingPlace> behind = queue::WaitingPlace(); behind;) {
            const auto step = queue
                                  .transact([&](queue::Store& s) {
                                      return queue::reroute_some(s, kToB, "gone", *behind);
                                  })
                                  .value();
            CHECK(step.changed <= kRows);
            all.changed += step.changed;
            add_all(all.due_now, step.due_now);
            all.waits = step.waits;
            behind = step.next;
        }
        return all;
    };
    const queue::Destination heir{queue::Lane::xmpp, "new.a.test", "b.test"};
    const queue::LanePolicy required({}, {{domain("b.test"), {true, {}}}});

    SECTION("in steps") {
        queue.use_router(queue::Router({{domain("a.test"), "new.a.test"}}, "new.a.test"));
        const auto turned = turn();
        CHECK(turned.due_now == queue::DueNow{heir});
        CHECK(turned.changed == 1000);
        CHECK_FALSE(turned.waits);
        const auto leased = queue.lease(heir, {"mail.b.test", {1, 1000, 1u << 20}}).at(0);
        CHECK(leased.transfer->key.domain == domain("a.test"));
        CHECK_FALSE(leased.transfer->sent_before);
    }
    SECTION("also where XMPP is required") {
        queue.use_router(
            queue::Router({{domain("a.test"), "new.a.test"}}, "new.a.test", {}, {}, required));
        CHECK(turn().due_now == queue::DueNow{heir});
    }
    SECTION("by SMTP, if nobody sends for its sender now") {
        queue.use_router(queue::Router({{domain("other.test"), "new.a.test"}}, "new.a.test"));
        CHECK(turn().due_now == queue::DueNow{kRelay});
    }
    SECTION("and waits, if that may not be") {
        queue.use_router(
            queue::Router({{domain("other.test"), "new.a.test"}}, "new.a.test", {}, {}, required));
        const auto turned = turn();
        CHECK(turned.changed == 0);
        REQUIRE(turned.waits);
        CHECK(turned.waits->reply.text.find("gone") != std::string::npos);
    }
    SECTION("a component that is still ours, if for other domains, has no heir") {
        queue.use_router(queue::Router({{domain("a.test"), "new.a.test"}}, "mail.a.test"));
        CHECK(turn().due_now == queue::DueNow{kRelay});
    }
    SECTION("a message that can't be read, and the others") {
        queue.add_some(1, 5);
        const auto damaged = queue.transact([](queue::Store& s) -> base::Result<bool> {
            s.database().execute(
                "UPDATE message SET sender = '@' WHERE id ="
                " (SELECT MAX(id) FROM message)"_sql);
            return true;
        });
        REQUIRE(damaged);
        SECTION("go") {
            queue.use_router(queue::Router({{domain("a.test"), "new.a.test"}}, "new.a.test"));
            CHECK(std::ranges::is_permutation(turn().due_now, queue::DueNow{heir, kRelay}));
        }
        SECTION("go, but it waits where XMPP is required") {
            queue.use_router(
                queue::Router({{domain("a.test"), "new.a.test"}}, "new.a.test", {}, {}, required));
            const auto turned = turn();
            CHECK(turned.due_now == queue::DueNow{heir});
            CHECK(turned.changed == 1000);
            CHECK(turned.waits);
        }
    }
}

TEST_CASE("a step of expiry needs less room than intake leaves") {
    Crowd queue;
    // The worst: each report returns all of what it is about.
    for (std::size_t i = 0; i <= queue::kStepBytes / base::limits::kInlineContent; ++i) {
        auto mail =
            arrival("alice@a.test", {"bob@b.test"}, std::string(base::limits::kInlineContent, 'x'));
        mail.envelope.ret = mail::Ret::full;
        queue.add(mail);
    }
    queue.clock.advance(24h * 5);
    const auto size = [&] {
        std::uintmax_t bytes = 0;
        for (const char* const name : {"queue.db", "queue.db-wal"})
            bytes += std::filesystem::file_size(queue.folder.path() / name);
        return bytes;
    };
    queue.transact(
        [](queue::Store& s) { return s.database().connection().execAndGet("SELECT 1").getInt(); });
    const auto before = size();
    queue.step();
    // Beside it there may be a log that was not brought in yet: 4000 pages, see
    // queue/sqlite/store/database.
    constexpr std::uintmax_t kLog = 4000 * 4096;
    CHECK(size() - before + kLog < base::limits::kDiskReserve);
}
