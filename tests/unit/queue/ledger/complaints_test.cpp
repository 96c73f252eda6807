// Complaints, as every implementation of the ledger keeps them.
#include "queue/ledger/complaints.hpp"

#include "queue/sqlite/notify/outgoing_complaints.hpp"
#include "queue/sqlite/notify/taken_complaints.hpp"
#include "support/catch_result.hpp"
#include "support/queue/kept_queue.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace support;
using namespace std::chrono_literals;
using queue::CastVote;
using queue::Complaint;

namespace {

constexpr queue::ComplaintSettings kBothWays{true, true};
constexpr std::chrono::hours kComplaintDay(24);

queue::TransferKey key_of(const std::string& id, const char* from = "b.test") {
    return {domain(from), id};
}

/// A transfer of `from` for some of us.
queue::Arrival incoming(const KeptQueue& queue, const std::string& id,
                        const std::vector<std::string>& to = {"alice@a.test"},
                        const char* from = "b.test") {
    auto mail = from_peer(to, std::string("bob@") + from);
    mail.origin.transfer = key_of(id, from);
    std::vector<queue::RecipientVerdict> verdicts;
    for (const auto& each : mail.envelope.recipients)
        verdicts.push_back({each.n, reply(250, "2.1.5", "ok")});
    mail.transfer = queue::ReceivedTransfer{*mail.origin.transfer,   "mail.b.test",
                                            "mail.a.test",           mail::sha256(id),
                                            queue.clock.now() + 24h, std::move(verdicts)};
    return mail;
}

CastVote vote(const std::string& id, const std::vector<std::string>& who = {"alice@a.test"},
              bool is_spam = true) {
    return {key_of(id), "<1@a.test>", who, is_spam};
}

base::Errc refused(KeptQueue& queue, const CastVote& cast) {
    const auto answer = run_one(queue.ledger(), cast);
    REQUIRE_FALSE(answer);
    return answer.error().code;
}

std::int64_t counted(KeptQueue& queue) {
    const auto found =
        queue.ask(queue::FindStanding{queue::day_of(queue.clock.now()), domain("b.test")});
    return found ? found->record.total().complaints : 0;
}

/// b.test has sent for long enough to be told.
void trust(KeptQueue& queue, const char* name = "b.test") {
    queue.run(queue::SetPeerClass{domain(name), queue::PeerClass::trusted});
}

/// All that goes now, to whomever.
std::vector<Complaint> queued(KeptQueue& queue) {
    queue.run_steps(queue::QueueComplaints{queue.clock.now(), {}});
    std::vector<Complaint> all;
    for (const auto& leased : queue.lease(kReportToB, kReadyB)) {
        const auto batch = queue::decode_complaints(leased.content.bytes()).value();
        all.insert(all.end(), batch.begin(), batch.end());
        queue.settle({support::all(leased, delivered())});
    }
    return all;
}

/// A mail of alice's that b.test has taken; the key of its transfer.
queue::TransferKey outgoing(KeptQueue& queue, const char* from = "alice@a.test") {
    queue.add(arrival(from, {"bob@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    queue.settle({all(leased[0], delivered())});
    return leased[0].transfer->key;
}

using Against = std::optional<queue::SenderComplaints>;

base::Result<Against> complain(KeptQueue& queue, const queue::TransferKey& key, bool is_spam = true,
                               const char* peer = "mail.b.test") {
    return run_one(queue.ledger(), queue::TakeComplaint{{key, is_spam}, peer});
}

std::vector<queue::SenderComplaints> known(KeptQueue& queue) {
    return queue.ask(queue::ListComplaints{queue::day_of(queue.clock.now()), 100});
}

/// What is reported to our abuse address now.
std::vector<std::string> abuse_reports(KeptQueue& queue, std::optional<mail::Mailbox> to = {}) {
    const auto done = queue.run(queue::ReportComplaints{queue.clock.now(), std::move(to)});
    CHECK_FALSE(done.more);
    std::vector<std::string> reports;
    for (const auto& leased : queue.lease(kLocal, {"", {100, 1000, 1u << 20}})) {
        CHECK_FALSE(leased.envelope.from);
        reports.push_back(leased.envelope.recipients.at(0).address.text() + "\n" +
                          std::string(leased.content.bytes()));
        queue.settle({all(leased, delivered())});
    }
    return reports;
}

bool has_text(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A text whose lines may end anywhere.
bool has_words(std::string text, const std::string& words) {
    for (auto at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n"))
        text.replace(at, 2, " ");
    return has_text(text, words);
}

}  // namespace

TEST_CASE("a recipient has one vote on a mail, and the peer book counts it") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    queue.run(accept(incoming(queue, "01aaaaaa", {"alice@a.test", "eva@a.test"})));
    CHECK(counted(queue) == 0);
    auto voted = queue.run(vote("01aaaaaa"));
    CHECK(voted.counted);
    CHECK(voted.recipient == "alice@a.test");
    CHECK(voted.domain == "b.test");
    CHECK(counted(queue) == 1);
    CHECK_FALSE(queue.run(vote("01aaaaaa")).counted);
    queue.crash();
    // In another spelling it is the same.
    CHECK_FALSE(queue.run(vote("01aaaaaa", {"Alice@A.test"})).counted);
    CHECK(counted(queue) == 1);
    CHECK(queue.run(vote("01aaaaaa", {"stranger@a.test", "eva@a.test"})).recipient == "eva@a.test");
    CHECK(counted(queue) == 2);
}

TEST_CASE("a vote is taken back on the day that it was counted on, once") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    queue.run(accept(incoming(queue, "01aaaaaa")));
    CHECK_FALSE(queue.run(vote("01aaaaaa", {"alice@a.test"}, false)).counted);
    queue.run(vote("01aaaaaa"));
    queue.clock.advance(kComplaintDay);
    queue.run(accept(incoming(queue, "02aaaaaa")));
    queue.run(vote("02aaaaaa"));
    CHECK(counted(queue) == 2);
    CHECK(queue.run(vote("01aaaaaa", {"alice@a.test"}, false)).counted);
    CHECK_FALSE(queue.run(vote("01aaaaaa", {"alice@a.test"}, false)).counted);
    CHECK(counted(queue) == 1);
    CHECK(queue.run(vote("01aaaaaa")).counted);
    CHECK(counted(queue) == 2);
}

TEST_CASE("a complaint with a forged trace field counts nowhere") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    queue.run(accept(incoming(queue, "01aaaaaa")));
    using base::Errc;
    CHECK(refused(queue, vote("02aaaaaa")) == Errc::not_found);
    auto cast = vote("01aaaaaa");
    cast.key = key_of("01aaaaaa", "c.test");
    CHECK(refused(queue, cast) == Errc::not_found);
    cast = vote("01aaaaaa");
    cast.message_id = "<another@a.test>";
    CHECK(refused(queue, cast) == Errc::refused);
    CHECK(refused(queue, vote("01aaaaaa", {"eva@a.test"})) == Errc::not_found);
    CHECK(refused(queue, vote("01aaaaaa", {})) == Errc::not_found);
    queue.clock.advance(std::chrono::hours(24 * 31));
    CHECK(refused(queue, vote("01aaaaaa")) == Errc::not_found);
    CHECK(counted(queue) == 0);
}

TEST_CASE("where complaints are off nothing is kept for them") {
    KeptQueue queue(GENERATE(from_range(implementations())));
    queue.run(accept(incoming(queue, "01aaaaaa")));
    CHECK(refused(queue, vote("01aaaaaa")) == base::Errc::not_found);
    const auto key = outgoing(queue);
    CHECK(complain(queue, key).error().code == base::Errc::not_found);
}

TEST_CASE("complaints go to peers that are known, once, and without saying whose they are") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    for (const char* const id : {"01aaaaaa", "02aaaaaa"})
        queue.run(accept(incoming(queue, id, {"alice@a.test", "eva@a.test"})));
    queue.run(vote("02aaaaaa"));
    queue.clock.advance(1h);
    queue.run(vote("01aaaaaa", {"eva@a.test"}));
    queue.run(vote("01aaaaaa"));
    CHECK(queued(queue).empty());  // to a stranger
    trust(queue);
    // By the order of the transfers, not of the clicks.
    CHECK(queued(queue) ==
          std::vector<Complaint>{{key_of("01aaaaaa"), true}, {key_of("02aaaaaa"), true}});
    CHECK(queued(queue).empty());
    // As long as somebody complains, it is spam.
    queue.run(vote("01aaaaaa", {"eva@a.test"}, false));
    CHECK(queued(queue).empty());
    queue.run(vote("01aaaaaa", {"alice@a.test"}, false));
    CHECK(queued(queue) == std::vector<Complaint>{{key_of("01aaaaaa"), false}});
    // That was the last word.
    queue.run(vote("01aaaaaa"));
    CHECK(queued(queue).empty());
    CHECK(counted(queue) == 2);
}

TEST_CASE("a small domain that one complaint makes poor is told of it all the same") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    const std::string last = "06aaaaaa";
    for (int i = 1; i <= 6; ++i) {
        queue.run(accept(incoming(queue, "0" + std::to_string(i) + "aaaaaa", {"alice@a.test"})));
        queue.clock.advance(12h);
    }
    queue.run(vote(last));
    CHECK(queued(queue) == std::vector<Complaint>{{key_of(last), true}});
}

TEST_CASE("what is taken back before it was told is not told, and what is new waits") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    trust(queue);
    queue.run(accept(incoming(queue, "01aaaaaa")));
    queue.run(vote("01aaaaaa"));
    const auto step = queue.run(queue::QueueComplaints{queue.clock.now() - 1min, {}});
    CHECK(step.due_now.empty());
    queue.run(vote("01aaaaaa", {"alice@a.test"}, false));
    CHECK(queued(queue).empty());
}

TEST_CASE("a round of complaints goes in steps, and has a bound for each peer") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    trust(queue);
    const auto most = static_cast<int>(queue::kComplaintsToPeer);
    for (int i = 0; i < most + 50; ++i) {
        const std::string id = fmt::format("01aa{:06}", i);
        queue.run(accept(incoming(queue, id)));
        queue.run(vote(id));
    }
    CHECK(queued(queue).size() == queue::kComplaintsToPeer);
    CHECK(queued(queue).size() == 50);
}

TEST_CASE("complaints that no peer takes end without a word to anybody") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    trust(queue);
    queue.run(accept(incoming(queue, "01aaaaaa")));
    queue.run(vote("01aaaaaa"));
    queue.run_steps(queue::QueueComplaints{queue.clock.now(), {}});
    const auto leased = queue.lease(kReportToB, kReadyB);
    REQUIRE(leased.size() == 1);
    const auto arrived = queue.lease(kLocal, kOneByOne);
    queue.settle({all(arrived.at(0), delivered())});
    CHECK(queue.settle({all(leased[0], failed())}).empty());
    CHECK(queue.lease(kLocal, kOneByOne).empty());
}

TEST_CASE("a complaint of a peer is one vote a day against the sender, and slows it") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    const auto first = outgoing(queue);
    const auto second = outgoing(queue, "Alice+x@a.test");
    auto against = complain(queue, first).value();
    REQUIRE(against);
    CHECK(*against == queue::SenderComplaints{"alice@a.test", "b.test", 1, 1});
    // A replay changes nothing.
    CHECK_FALSE(complain(queue, first).value());
    queue.crash();
    CHECK_FALSE(complain(queue, first).value());
    CHECK(complain(queue, second).value()->complaints == 2);
    CHECK(known(queue) == std::vector<queue::SenderComplaints>{{"alice@a.test", "b.test", 1, 2}});
    queue.clock.advance(kComplaintDay);
    const auto third = outgoing(queue);
    CHECK(complain(queue, third).value()->days == 2);
    // After a week it counts no more.
    queue.clock.advance(kComplaintDay * queue::kSlowDays);
    CHECK(known(queue).empty());
}

TEST_CASE("a complaint on a transfer that one did not get is refused") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    const auto key = outgoing(queue);
    using base::Errc;
    CHECK(complain(queue, key, true, "mail.evil.test").error().code == Errc::refused);
    CHECK(complain(queue, key_of("01unknown", "a.test")).error().code == Errc::not_found);
    // What it has refused it has not got.
    queue.add(arrival("alice@a.test", {"bob@b.test"}));
    const auto leased = queue.lease();
    REQUIRE(leased.size() == 1);
    queue.settle({all(leased[0], failed())});
    CHECK(complain(queue, leased[0].transfer->key).error().code == Errc::not_found);
    queue.clock.advance(std::chrono::hours(24 * 31));
    CHECK(complain(queue, key).error().code == Errc::not_found);
    CHECK(known(queue).empty());
}

TEST_CASE("a complaint that is taken back is not made again") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    const auto key = outgoing(queue);
    const auto other = outgoing(queue);
    complain(queue, key).value();
    CHECK(complain(queue, key, false).value()->days == 0);
    CHECK(known(queue).empty());
    CHECK_FALSE(complain(queue, key).value());
    // Also if it came first, as the other waited.
    CHECK(complain(queue, other, false).value()->days == 0);
    CHECK_FALSE(complain(queue, other).value());
    CHECK(abuse_reports(queue).empty());
}

TEST_CASE("an organisation complains so often a day, and not more") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    for (std::int64_t i = 0; i < queue::kComplaintsTaken; ++i)
        REQUIRE(complain(queue, outgoing(queue)));
    const auto key = outgoing(queue);
    CHECK(complain(queue, key).error().code == base::Errc::busy);
    queue.clock.advance(kComplaintDay);
    CHECK(complain(queue, key));
}

TEST_CASE("the abuse address hears once a day of each sender and domain") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    complain(queue, outgoing(queue)).value();
    complain(queue, outgoing(queue)).value();
    complain(queue, outgoing(queue, "eva@a.test")).value();
    auto reports = abuse_reports(queue);
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].starts_with("abuse@a.test\n"));
    CHECK(has_text(reports[0], "Original-Mail-From: <alice@a.test>\r\n"));
    CHECK(has_text(reports[0], "Incidents: 2\r\n"));
    CHECK(has_text(reports[0], "Message-ID: <1@a.test>\r\n"));
    CHECK(has_text(reports[1], "Original-Mail-From: <eva@a.test>\r\n"));
    complain(queue, outgoing(queue)).value();
    CHECK(abuse_reports(queue).empty());
    queue.clock.advance(kComplaintDay);
    complain(queue, outgoing(queue)).value();
    reports = abuse_reports(queue, mailbox("security@a.test"));
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].starts_with("security@a.test\n"));
    CHECK(has_text(reports[0], "Incidents: 2\r\n"));
}

TEST_CASE("two days that nobody has heard of are one report") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    complain(queue, outgoing(queue)).value();
    queue.clock.advance(kComplaintDay);
    complain(queue, outgoing(queue)).value();
    complain(queue, outgoing(queue)).value();
    const auto reports = abuse_reports(queue);
    REQUIRE(reports.size() == 1);
    CHECK(has_text(reports[0], "Incidents: 3\r\n"));
    CHECK(abuse_reports(queue).empty());
}

TEST_CASE("a complaint of a day that has not come yet, by a clock that was wrong, slows nobody") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    complain(queue, outgoing(queue)).value();
    const auto today = queue::day_of(queue.clock.now());
    CHECK(queue.ask(queue::ListComplaints{today, 100}).size() == 1);
    CHECK(queue.ask(queue::ListComplaints{today - std::chrono::days(1), 100}).empty());
}

TEST_CASE("what is taken back after its report makes no room for another one that day") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    const auto first = outgoing(queue);
    complain(queue, first).value();
    CHECK(abuse_reports(queue).size() == 1);
    CHECK(complain(queue, first, false).value()->days == 0);
    CHECK(known(queue).empty());
    CHECK(complain(queue, outgoing(queue)).value()->complaints == 1);
    CHECK(known(queue) == std::vector<queue::SenderComplaints>{{"alice@a.test", "b.test", 1, 1}});
    CHECK(abuse_reports(queue).empty());
    queue.clock.advance(kComplaintDay);
    complain(queue, outgoing(queue)).value();
    const auto reports = abuse_reports(queue);
    REQUIRE(reports.size() == 1);
    CHECK(has_text(reports[0], "Incidents: 1\r\n"));
}

TEST_CASE("a report says the pause that is in force, of the days that count for it") {
    KeptQueue queue(GENERATE(from_range(implementations())), kBothWays);
    complain(queue, outgoing(queue)).value();
    abuse_reports(queue);
    queue.clock.advance(kComplaintDay * queue::kSlowDays);
    complain(queue, outgoing(queue)).value();
    auto reports = abuse_reports(queue);
    REQUIRE(reports.size() == 1);
    CHECK(has_words(reports[0], "one recipient in 5 minutes"));
    // One that comes when nothing is slowed any more.
    complain(queue, outgoing(queue, "eva@a.test")).value();
    queue.clock.advance(kComplaintDay * queue::kSlowDays);
    reports = abuse_reports(queue);
    REQUIRE(reports.size() == 1);
    CHECK(has_words(reports[0], "is not slowed"));
}
