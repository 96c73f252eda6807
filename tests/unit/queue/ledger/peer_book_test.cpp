// The peer book, as every implementation of the ledger keeps it.
#include "queue/ledger/peer_book.hpp"

#include "support/catch_result.hpp"
#include "support/queue/kept_queue.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using queue::PeerClass;
using queue::PeerFigures;

namespace {

constexpr std::chrono::hours kBookDay(24);

/// A transfer of `from`, with a verdict for each recipient.
queue::Arrival transfer(const KeptQueue& queue, const std::string& id,
                        const std::vector<mail::Reply>& verdicts, const char* from = "b.test") {
    std::vector<std::string> taken;
    std::vector<queue::RecipientVerdict> all;
    for (std::uint32_t n = 0; n < verdicts.size(); ++n) {
        all.push_back({n, verdicts[n]});
        if (verdicts[n].is_success()) taken.push_back(fmt::format("alice{}@a.test", n));
    }
    auto mail = from_peer(taken, std::string("bob@") + from);
    mail.origin.transfer = queue::TransferKey{domain(from), id};
    mail.transfer = queue::ReceivedTransfer{*mail.origin.transfer,
                                            "mail.b.test",
                                            "mail.a.test",
                                            mail::sha256(id),
                                            queue.clock.now() + std::chrono::hours(24),
                                            std::move(all)};
    return mail;
}
const mail::Reply kTakenNow = reply(250, "2.1.5", "ok");
const mail::Reply kUnknownHere = reply(550, "5.1.1", "No such user");

std::optional<queue::Standing> find(KeptQueue& queue, const char* name = "b.test") {
    return queue.ask(queue::FindStanding{queue::day_of(queue.clock.now()), domain(name)});
}
PeerFigures total(KeptQueue& queue, const char* name = "b.test") {
    return find(queue, name).value().record.total();
}
void set(KeptQueue& queue, const char* name, std::optional<PeerClass> by_hand) {
    queue.run(queue::SetPeerClass{domain(name), by_hand});
}

}  // namespace

TEST_CASE("a transfer is counted with its verdict, and by days") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    CHECK_FALSE(find(queue));
    queue.run(accept(transfer(queue, "01", {kTakenNow, kTakenNow, kUnknownHere})));
    queue.run(accept(transfer(queue, "02", {kUnknownHere})));
    const auto first = queue::day_of(queue.clock.now());
    queue.clock.advance(kBookDay);
    queue.run(accept(transfer(queue, "03", {kTakenNow})));
    const auto standing = find(queue);
    REQUIRE(standing);
    CHECK(standing->domain == "b.test");
    CHECK(standing->since == first);
    CHECK(standing->last == first + std::chrono::days(1));
    REQUIRE(standing->days.size() == 2);
    CHECK(standing->days[0].second == PeerFigures{1, 1, 0, 0, 0});
    CHECK(standing->days[1].second == PeerFigures{1, 4, 2, 0, 0});
    queue.crash();
    CHECK(total(queue) == PeerFigures{2, 5, 2, 0, 0});
    queue.run(accept(transfer(queue, "04", {kTakenNow})));
    CHECK(total(queue) == PeerFigures{3, 6, 2, 0, 0});
}

TEST_CASE("what comes again, and what may be different next time, is not counted") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(transfer(queue, "01", {kTakenNow, kUnknownHere})));
    queue.run(accept(transfer(queue, "01", {kTakenNow, kUnknownHere})));
    CHECK(total(queue) == PeerFigures{1, 2, 1, 0, 0});
    queue.run(accept(transfer(queue, "02",
                              {reply(451, "4.4.1", "later"), reply(550, "5.7.1", "not to a list"),
                               reply(452, "4.1.1", "perhaps")})));
    CHECK(total(queue) == PeerFigures{1, 2, 1, 0, 0});
    // Nor is what comes by another door.
    queue.add(arrival("bob@c.test", {"alice@a.test"}));
    CHECK_FALSE(find(queue, "c.test"));
}

TEST_CASE("what our mail server says of the content of a mail counts against its domain") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(transfer(queue, "01", {kTakenNow, kTakenNow, kTakenNow, kTakenNow})));
    const auto leased = queue.lease(kLocal, kOneByOne);
    REQUIRE(leased.size() == 1);
    const auto failed_with = [](const char* status, const char* text) {
        return queue::Failed{reply(554, status, text), "mx.a.test"};
    };
    queue.settle({{leased[0].id,
                   {{0, failed_with("5.7.1", "Spam message rejected")},
                    {1, failed_with("5.1.1", "User unknown")},
                    {2, failed_with("5.7.1", "Relay access denied")},
                    {3, queue::Delivered{reply(250, "2.0.0", "spam, but taken"), "mx.a.test"}}},
                   true}});
    CHECK(total(queue) == PeerFigures{1, 4, 1, 1, 0});
    // An outcome may come twice.
    queue.settle({all(leased[0], failed_with("5.7.1", "Spam message rejected"))});
    CHECK(total(queue) == PeerFigures{1, 4, 1, 1, 0});
}

TEST_CASE(
    "the class that a mail is handed over with is of that moment, and its trace has that of its "
    "arrival") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    CHECK(queue.run(accept(transfer(queue, "01", {kTakenNow}))).sender_class ==
          PeerClass::newcomer);
    set(queue, "b.test", PeerClass::trusted);
    auto leased = queue.lease(kLocal, kOneByOne);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].sender_class == PeerClass::trusted);
    const auto traced = queue.ask(queue::Trace{{leased[0].id}});
    REQUIRE(traced.size() == 1);
    CHECK(traced[0].steps.front().detail.ends_with(", class new"));
    CHECK(queue.run(accept(transfer(queue, "02", {kTakenNow}))).sender_class == PeerClass::trusted);
    // One that came by another door has none.
    queue.settle({all(leased[0], delivered())});
    queue.settle({all(queue.lease(kLocal, kOneByOne).at(0), delivered())});
    queue.add(arrival("bob@c.test", {"alice@a.test"}));
    leased = queue.lease(kLocal, kOneByOne);
    REQUIRE(leased.size() == 1);
    CHECK(leased[0].sender_class == PeerClass::none);
}

TEST_CASE("a domain that sends for some days gets known, and good after a month, restarts or not") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    int id = 0;
    const auto send = [&](int messages) {
        PeerClass of = PeerClass::none;
        for (int i = 0; i < messages; ++i)
            of = queue.run(accept(transfer(queue, fmt::format("{:04}", ++id), {kTakenNow})))
                     .sender_class;
        return of;
    };
    CHECK(send(2) == PeerClass::newcomer);
    queue.clock.advance(kBookDay);
    queue.crash();
    CHECK(send(2) == PeerClass::newcomer);
    queue.clock.advance(kBookDay);
    // The third message of the third day is the first that finds five before it.
    CHECK(send(1) == PeerClass::newcomer);
    CHECK(send(1) == PeerClass::known);
    for (int day = 3; day < 30; ++day) {
        queue.clock.advance(kBookDay);
        CHECK(send(2) == PeerClass::known);
    }
    queue.clock.advance(kBookDay);
    queue.crash();
    CHECK(send(1) == PeerClass::good);
}

TEST_CASE("a class that is given by hand stays until it is taken back") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    set(queue, "b.test", PeerClass::blocked);
    queue.crash();
    REQUIRE(find(queue));
    CHECK(class_of(find(queue)->record) == PeerClass::blocked);
    CHECK(find(queue)->set_at == queue.clock.now());
    CHECK(queue.run(accept(transfer(queue, "01", {kTakenNow}))).sender_class == PeerClass::blocked);
    set(queue, "b.test", std::nullopt);
    CHECK(class_of(find(queue)->record) == PeerClass::newcomer);
    CHECK_FALSE(find(queue)->set_at);
    CHECK(queue.run(accept(transfer(queue, "02", {kTakenNow}))).sender_class ==
          PeerClass::newcomer);
    CHECK(total(queue).messages == 2);
    // Where there is nothing else, nothing stays.
    set(queue, "c.test", PeerClass::limited);
    set(queue, "c.test", std::nullopt);
    CHECK_FALSE(find(queue, "c.test"));
    const auto again = run_one(queue.ledger(), queue::SetPeerClass{domain("c.test"), std::nullopt});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == base::Errc::not_found);
}

TEST_CASE("who is blocked or limited is so under all names below, and who is trusted is not") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    auto comes_as = [&, id = 0](const char* from) mutable {
        return queue.run(accept(transfer(queue, fmt::format("{:02}", ++id), {kTakenNow}, from)))
            .sender_class;
    };
    CHECK(comes_as("x.evil.test") == PeerClass::newcomer);
    set(queue, "evil.test", PeerClass::blocked);
    CHECK(comes_as("x.evil.test") == PeerClass::blocked);
    CHECK(comes_as("y.evil.test") == PeerClass::blocked);
    CHECK(class_of(find(queue, "y.evil.test")->record) == PeerClass::blocked);
    CHECK(comes_as("notevil.test") == PeerClass::newcomer);
    set(queue, "y.evil.test", PeerClass::trusted);
    CHECK(comes_as("y.evil.test") == PeerClass::trusted);
    set(queue, "evil.test", PeerClass::trusted);
    CHECK(comes_as("x.evil.test") == PeerClass::newcomer);
    set(queue, "evil.test", PeerClass::limited);
    CHECK(comes_as("x.evil.test") == PeerClass::limited);
    queue.run(queue::ForgetStanding{domain("evil.test")});
    CHECK(comes_as("x.evil.test") == PeerClass::newcomer);
}

TEST_CASE("a domain is forgotten with all that is known of it") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(transfer(queue, "01", {kTakenNow})));
    set(queue, "b.test", PeerClass::limited);
    queue.run(queue::ForgetStanding{domain("b.test")});
    CHECK_FALSE(find(queue));
    const auto again = run_one(queue.ledger(), queue::ForgetStanding{domain("b.test")});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == base::Errc::not_found);
    queue.run(accept(transfer(queue, "02", {kTakenNow})));
    CHECK(total(queue) == PeerFigures{1, 1, 0, 0, 0});
}

TEST_CASE("the book is read in pages, in the order of the domains") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    for (int i = 0; i < 25; ++i)
        queue.run(accept(transfer(queue, fmt::format("{:02}", i), {kTakenNow},
                                  fmt::format("d{:02}.test", i).c_str())));
    set(queue, "d24.test", PeerClass::trusted);
    std::vector<std::string> seen;
    for (std::string after;;) {
        const auto page =
            queue.ask(queue::ListStandings{queue::day_of(queue.clock.now()), after, 10});
        for (const auto& standing : page) {
            seen.push_back(standing.domain);
            CHECK(standing.record.total() == PeerFigures{1, 1, 0, 0, 0});
            CHECK(class_of(standing.record) ==
                  (standing.domain == "d24.test" ? PeerClass::trusted : PeerClass::newcomer));
        }
        if (page.size() < 10) break;
        after = page.back().domain;
    }
    REQUIRE(seen.size() == 25);
    CHECK(std::ranges::is_sorted(seen));
}

TEST_CASE("an operation that fails leaves no trace in the book") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(transfer(queue, "01", {kTakenNow})));
    auto conflicting = transfer(queue, "01", {kTakenNow});
    conflicting.transfer->digest = mail::sha256("another one");
    const auto answers =
        run_all(queue.ledger(), {accept(transfer(queue, "02", {kTakenNow})), accept(conflicting),
                                 accept(transfer(queue, "03", {kTakenNow}))});
    REQUIRE(answers.size() == 3);
    CHECK_FALSE(answers[1].has_value());
    CHECK(total(queue) == PeerFigures{3, 3, 0, 0, 0});
}
