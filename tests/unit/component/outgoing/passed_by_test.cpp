// XmppCourier while nothing goes over XMPP (packetboat off): what was never sent is free, what may
// have been is called back first, and what has to go over XMPP waits.
#include "support/component/courier_and_peer.hpp"

using namespace doubles;

namespace {

constexpr const char* kSwitchedOff = "XMPP is switched off here";

std::string reroute_of(const queue::MessageOutcome& outcome) {
    return std::get<queue::Rerouted>(outcome.recipients.at(0).outcome).why;
}

}  // namespace

TEST_CASE("while it is off, nothing is asked of a peer, whether our link is there or not") {
    Courier a;
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, ""}); };
    a.courier->pass_by(kSwitchedOff);
    a.link.up = GENERATE(true, false);
    const auto outcome = a.send_one();
    CHECK(std::get<queue::Rerouted>(*a.readiness).why == kSwitchedOff);
    if (a.link.up) {
        CHECK(reroute_of(outcome) == kSwitchedOff);
        CHECK_FALSE(outcome.sent);
    }
    CHECK(a.sizes.empty());
    CHECK(a.courier->limits(a.destination, {"mail.b.test", {}}).messages == 0);

    a.courier->pass_by("");
    a.link.up = true;
    CHECK(is<queue::Delivered>(a.send_one()));
    CHECK(a.courier->limits(a.destination, {"mail.b.test", {}}).messages > 0);
}

TEST_CASE("it is turned off while mail is under way") {
    Courier a;
    PeerDisk b;
    int requests = 0;
    a.peer = [&](const auto& asked) {
        if (++requests == 2) a.courier->pass_by(kSwitchedOff);
        return b.answer(asked);
    };
    const std::string large = "Subject: x\r\n\r\n" + a.noise(900000) + "\r\n";
    auto message = a.message(1, large);
    SECTION("in pieces: it is called back, and then goes by SMTP") {
        const auto outcomes = a.send({message});
        CHECK(reroute_of(outcomes.at(0)) == kSwitchedOff);
        CHECK(b.asked["abort"] == 1);
        CHECK(b.asked["commit"] == 0);
    }
    SECTION("and has to go over XMPP: it waits, and goes on where it was") {
        message.rule.required = true;
        const auto waits = deferred(a.send({message}).at(0));
        CHECK(waits.reply.status == mail::EnhancedStatus{4, 7, 0});
        CHECK_FALSE(waits.settled);
        CHECK(b.asked["abort"] == 0);
        CHECK(b.asked["commit"] == 0);
        a.courier->pass_by("");
        message.transfer->sent_before = true;
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
    }
    SECTION("what comes behind it is not sent any more") {
        const auto small = a.message(2);
        auto required = a.message(3, large);
        required.rule.required = true;
        auto sent_before = a.message(4, large);
        sent_before.transfer->sent_before = true;
        const auto outcomes = a.send({message, small, required, sent_before});
        CHECK(is<queue::Delivered>(outcomes.at(1)));  // the first request
        CHECK(is<queue::Rerouted>(outcomes.at(0)));
        CHECK(deferred(outcomes.at(2)).reply.status == mail::EnhancedStatus{4, 7, 0});
        CHECK_FALSE(deferred(outcomes.at(2)).tried);
        CHECK_FALSE(outcomes.at(2).sent);
        // Its peer lets go of it before it goes another way.
        CHECK(is<queue::Rerouted>(outcomes.at(3)));
    }
}

TEST_CASE("what a peer has decided before it lets go counts, also while it is off") {
    Courier a;
    a.peer = [&](const auto& asked) -> IqReply {
        REQUIRE(asked.payload.starts_with("<abort"));
        auto read = read_payload(asked.payload, asked.type);
        return Verdicts{{std::get<IncomingAbort>(read).key,
                         Verdict::State::done,
                         "4XB0",
                         {{0, {250, {2, 1, 5}, ""}}},
                         0,
                         0}};
    };
    a.courier->pass_by(kSwitchedOff);
    CHECK(is<queue::Delivered>(a.send_one(true)));
}
