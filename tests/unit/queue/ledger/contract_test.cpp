// What every implementation of the ledger keeps to, beside what the model and the five days show.
#include "support/queue/kept_queue.hpp"

#include <catch2/catch.hpp>

using namespace support;

namespace {

template <class T>
T value(const base::Result<queue::Answer>& answer) {
    return std::get<T>(answer.value());
}

queue::Health health(KeptQueue& queue) {
    return queue.ask(queue::CountWaiting{});
}

queue::Arrival transfer(const std::string& id, const std::string& content = "a: b\r\n\r\n") {
    auto mail = from_peer();
    mail.content = mail::Content(content);
    mail.origin.transfer->id = id;
    mail.transfer = queue::ReceivedTransfer{*mail.origin.transfer,
                                            "mail.b.test",
                                            "mail.a.test",
                                            mail::sha256(content),
                                            ManualClock().now() + std::chrono::hours(24),
                                            {{0, reply(250, "2.1.5", "taken")}}};
    return mail;
}

}  // namespace

TEST_CASE("an operation finds what those before it in its transaction have done") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    const auto answers = run_all(queue.ledger(), {accept(arrival("bob@b.test", {"alice@a.test"})),
                                                  queue::FindNextDue{kLocal},
                                                  queue::LeaseDue{kLocal, kOneByOne, true, true}});
    REQUIRE(answers.size() == 3);
    CHECK(value<std::optional<base::TimePoint>>(answers[1]) == queue.clock.now());
    const auto leased = value<queue::Leased>(answers[2]);
    REQUIRE(leased.lease.messages.size() == 1);
    CHECK(leased.lease.messages[0].id == value<queue::Receipt>(answers[0]).id);
    CHECK(leased.portion == queue::Portion::small);
}

TEST_CASE("one that fails has done nothing, and takes nothing of its transaction with it") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(transfer("id-1")));
    const auto answers = run_all(queue.ledger(), {accept(arrival("bob@b.test", {"alice@a.test"})),
                                                  accept(transfer("id-1", "c: d\r\n\r\n")),
                                                  accept(arrival("bob@b.test", {"anna@a.test"}))});
    REQUIRE(answers.size() == 3);
    CHECK(answers[0].has_value());
    REQUIRE_FALSE(answers[1].has_value());
    CHECK(answers[1].error().code == base::Errc::conflict);
    CHECK(answers[2].has_value());
    CHECK(health(queue).waiting == 3);
}

TEST_CASE("a transfer that comes again changes nothing, and hears what was said first") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    const auto first = queue.run(accept(transfer("id-1")));
    REQUIRE(first.id);
    CHECK_FALSE(first.earlier);
    queue.crash();
    const auto again = queue.run(accept(transfer("id-1")));
    REQUIRE(again.earlier);
    CHECK(again.earlier->state == queue::KnownTransfer::State::done);
    CHECK(again.earlier->queue_id == first.id);
    REQUIRE(again.earlier->verdicts.size() == 1);
    CHECK(health(queue).waiting == 1);
}

TEST_CASE("what was called back before it came is never taken") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    const auto mail = transfer("id-1");
    const queue::Recall recall{mail.transfer->key, "mail.b.test", mail.transfer->expires,
                               mail.transfer->digest};
    CHECK(queue.run(queue::CallTransferBack{recall}).state == queue::KnownTransfer::State::aborted);
    const auto late = queue.run(accept(mail));
    CHECK_FALSE(late.id);
    REQUIRE(late.earlier);
    CHECK(late.earlier->state == queue::KnownTransfer::State::aborted);
    CHECK(health(queue).waiting == 0);
}

TEST_CASE("what is leased is nobody else's, and an outcome may come twice") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    CHECK(queue.lease().empty());
    queue.settle({all(leased[0], delivered())});
    queue.settle({all(leased[0], failed())});
    CHECK(health(queue).waiting == 0);
    // Nobody is told of a failure that was none.
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

TEST_CASE("a failure is recorded together with the report on it") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    const auto due_now = queue.run(queue::Settle{
        std::make_shared<const std::vector<queue::MessageOutcome>>(1, all(leased[0], failed()))});
    CHECK(due_now == queue::DueNow{kLocal});
    queue.crash();
    const auto report = queue.lease(kLocal, kOneByOne);
    REQUIRE(report.size() == 1);
    CHECK(report[0].content.bytes().find("No such user here") != std::string::npos);
}

TEST_CASE("what may have been sent goes again under its id, after a crash and after a stop") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto first = queue.lease();
    REQUIRE(first.size() == 1);
    SECTION("a crash") {
        queue.crash();
    }
    SECTION("a stop") {
        queue.restart();
    }
    const auto again = queue.lease();
    REQUIRE(again.size() == 1);
    CHECK(again[0].transfer->key == first[0].transfer->key);
    CHECK(again[0].transfer->sent_before);
}

TEST_CASE("what is under way at a stop is due again, however often, and is suspected of nothing") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.add(arrival("bob@b.test", {"alice@a.test"}));
    for (int stops = 0; stops < 7; ++stops) {
        REQUIRE(queue.lease(kLocal, kOneByOne).size() == 1);
        CHECK(health(queue).waiting == 0);
        queue.restart();
        CHECK(health(queue).waiting == 1);
    }
    // Crashes are another matter: from the second one in a row on it waits.
    for (int crashes = 0; crashes < 2; ++crashes) {
        REQUIRE(queue.lease(kLocal, kOneByOne).size() == 1);
        queue.crash();
    }
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

TEST_CASE("each step of what all mail of a destination hears goes on behind the last one") {
    constexpr int kMany = 1203;
    KeptQueue queue(GENERATE(from_range(implementations())));
    for (int i = 0; i < kMany; ++i)
        queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const base::TimePoint until = queue.clock.now() + std::chrono::minutes(1);
    const queue::Silence silence{unreachable(), until, queue.clock.now()};
    int changed = 0;
    int steps = 0;
    for (queue::PutOff step{kToB, silence, {}};; ++steps) {
        const auto done = queue.run(step);
        changed += done.changed;
        if (!done.next) break;
        step.behind = *done.next;
    }
    CHECK(changed == kMany);
    CHECK(steps > 0);
    CHECK(queue.run(queue::FindNextDue{kToB}) == until);
    CHECK(queue.lease().empty());
}
