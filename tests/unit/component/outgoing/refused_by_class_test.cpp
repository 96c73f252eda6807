// What A does when B refuses its mail by the class of the domain, or has taken enough of it for
// now.
#include "support/component/courier_and_peer.hpp"

using namespace doubles;

namespace {

/// A, which sends for two domains.
struct TwoDomains : Courier {
    queue::LeasedMessage of_other(int number) {
        auto other = message(number);
        other.transfer->key.domain = domain("a2.test");
        other.envelope = envelope("alice@a2.test", {"bob@b.test"});
        return other;
    }
    /// B takes everything but what is a.test's.
    void b_has_enough() {
        peer = [this](const ScriptedLink::Asked& asked) -> IqReply {
            const auto payload = read_payload(asked.payload);
            const auto& batch = std::get<IncomingBatch>(payload);
            if (std::ranges::any_of(batch.transfers, &TwoDomains::is_limited))
                return beyond_rate("mail of a.test has to wait", 300s);
            return verdicts(asked, {250, {2, 1, 5}, ""});
        };
    }
    static bool is_limited(const IncomingTransfer& transfer) {
        return transfer.key.domain == domain("a.test");
    }
};

mail::Reply failure(const queue::MessageOutcome& outcome) {
    const auto* const failed = std::get_if<queue::Failed>(&outcome.recipients.at(0).outcome);
    REQUIRE(failed != nullptr);
    CHECK(failed->remote == "mail.b.test");
    return failed->reply;
}

}  // namespace

TEST_CASE("what B refuses by class fails with B's words, however A would send otherwise") {
    Courier a;
    const mail::Reply blocked{550, {5, 7, 0}, "no mail of a.test is taken here (class blocked)"};
    const mail::Reply large{552, {5, 2, 3}, "larger than is taken of a.test"};
    for (const mail::Reply& reply : {blocked, large}) {
        a.peer = [&](const auto& asked) { return Courier::verdicts(asked, reply); };
        for (const bool before : {false, true})
            CHECK(failure(a.send_one(before)) == reply);
        // It would go by SMTP at once, if B took it.
        auto impatient = a.message(2);
        impatient.rule.fallback_after = 1ms;
        CHECK(failure(a.send({impatient}).at(0)) == reply);
    }
}

TEST_CASE("what is large, or called back, and was refused by class fails, too") {
    Courier a;
    const mail::Reply blocked{550, {5, 7, 0}, "no mail of a.test is taken here"};
    int opened = 0;
    int aborted = 0;
    a.peer = [&](const ScriptedLink::Asked& asked) -> IqReply {
        const auto payload = read_payload(asked.payload, asked.type);
        Verdict verdict{{domain("a.test"), ""}, Verdict::State::done, "", {{0, blocked}}, 0, 0};
        if (const auto* open = std::get_if<IncomingOpen>(&payload)) {
            ++opened;
            verdict.key = open->transfer.key;
        } else {
            ++aborted;
            verdict.key = std::get<IncomingAbort>(payload).key;
        }
        return Verdicts{verdict};
    };
    CHECK(failure(a.send({a.message(1, a.noise(3 << 20))}).at(0)) == blocked);
    CHECK(opened == 1);
    // It was to go by SMTP, as it had waited for too long; but B has decided.
    auto late = a.message(2);
    late.transfer->sent_before = true;
    late.call_back = "not taken over XMPP in time (fallback-after)";
    CHECK(failure(a.send({late}).at(0)) == blocked);
    CHECK(aborted == 1);
}

TEST_CASE("of which domain B has enough waits as told, and no other") {
    TwoDomains a;
    a.b_has_enough();
    const auto outcomes =
        a.send({a.message(1), a.of_other(2), a.message(3), a.message(4), a.of_other(5)});
    REQUIRE(outcomes.size() == 5);
    for (const std::size_t limited : {0u, 2u, 3u}) {
        CHECK_FALSE(deferred(outcomes[limited]).settled);
        CHECK(deferred(outcomes[limited]).retry_after == 300s);
        CHECK(deferred(outcomes[limited]).reply ==
              mail::Reply{451, {4, 7, 0}, "mail of a.test has to wait"});
    }
    CHECK(is<queue::Delivered>(outcomes[1]));
    CHECK(is<queue::Delivered>(outcomes[4]));
    // All together, the first alone, and then nothing more of its domain.
    CHECK(a.sizes == std::vector<std::size_t>{5, 1, 1, 1});
}

TEST_CASE("a batch of one domain that B has enough of is not sent in parts") {
    TwoDomains a;
    a.b_has_enough();
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    CHECK(a.sizes == std::vector<std::size_t>{3});
    for (const auto& outcome : outcomes)
        CHECK(deferred(outcome).retry_after == 300s);
    // What is due with them does not ask again, unless this is its last try.
    a.sizes.clear();
    CHECK(deferred(a.send({a.message(4)}).at(0)).retry_after == 300s);
    CHECK(a.sizes.empty());
    auto last = a.message(5);
    last.expires_at = a.clock.now();
    CHECK(is<queue::Deferred>(a.send({last}).at(0)));
    CHECK(a.sizes == std::vector<std::size_t>{1});
    a.clock.advance(2s);
    a.send({a.message(4)});
    CHECK(a.sizes == std::vector<std::size_t>{1, 1});
}

TEST_CASE("what B leaves out of a batch is asked about once, and waits as told") {
    TwoDomains a;
    a.peer = [&](const ScriptedLink::Asked& asked) -> IqReply {
        auto all = Courier::verdicts(asked, {250, {2, 1, 5}, ""});
        if (all.size() == 1) return beyond_rate("mail of a.test has to wait", 300s);
        all.erase(all.begin() + 2, all.end());
        return all;
    };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3), a.message(4)});
    CHECK(is<queue::Delivered>(outcomes[0]));
    CHECK(is<queue::Delivered>(outcomes[1]));
    CHECK(deferred(outcomes[2]).retry_after == 300s);
    CHECK(deferred(outcomes[3]).retry_after == 300s);
    CHECK(a.sizes == std::vector<std::size_t>{4, 1});
}
