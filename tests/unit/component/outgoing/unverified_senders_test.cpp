// UnverifiedSenders, and the courier that asks it: mail of a domain that its peer cannot verify.
#include "component/outgoing/unverified_senders.hpp"

#include "support/component/courier_and_peer.hpp"

using namespace doubles;

namespace {

StanzaError cannot_ask(const std::string& name) {
    return unverified(name + " cannot be asked over XMPP: answered remote-server-not-found");
}

/// A, which sends for a.test and for lost.test, of which no server knows anything.
struct Sender : Courier {
    Sender() {
        peer = [this](const auto& asked) -> IqReply {
            if (asked.payload.starts_with("<transfers")) {
                ++tries;
                if (asked.payload.find("domain='lost.test'") != std::string::npos) return refusal;
            }
            return b.answer(asked);
        };
    }
    queue::LeasedMessage lost(int number) {
        auto mail = message(number);
        mail.transfer->key.domain = domain("lost.test");
        mail.envelope.from = mailbox("alice@lost.test");
        return mail;
    }
    queue::MessageOutcome send_lost(int number, bool required = false) {
        auto mail = lost(number);
        mail.rule.required = required;
        mail.rule.fallback_after = fallback_after;
        return send({mail}).at(0);
    }
    PeerDisk b;
    int tries = 0;
    StanzaError refusal = cannot_ask("lost.test");
    std::optional<std::chrono::milliseconds> fallback_after{};
};

}  // namespace

TEST_CASE("What a peer cannot verify is remembered for each of our domains, within bounds") {
    UnverifiedSenders senders;
    const auto now = support::ManualClock().steady();
    const auto lost = domain("lost.test");
    CHECK(senders.refused(lost, "mail.b.test", "first", now));
    CHECK_FALSE(senders.given_up(lost, "mail.b.test", 15min));
    CHECK_FALSE(senders.refused(lost, "mail.b.test", "again", now + 15min - 1s));
    CHECK_FALSE(senders.given_up(lost, "mail.b.test", 15min));
    CHECK_FALSE(senders.refused(lost, "mail.b.test", "still", now + 15min));
    CHECK(senders.given_up(lost, "mail.b.test", 15min) == "still");
    CHECK_FALSE(senders.given_up(lost, "mail.c.test", 15min));
    CHECK_FALSE(senders.given_up(domain("a.test"), "mail.b.test", 15min));
    // From time to time one is tried; and days later it begins anew.
    CHECK_FALSE(senders.is_to_be_tried(lost, "mail.b.test", now + 75min - 1s));
    CHECK(senders.is_to_be_tried(lost, "mail.b.test", now + 75min));
    CHECK(senders.refused(lost, "mail.b.test", "anew", now + 15min + 24h));
    CHECK_FALSE(senders.given_up(lost, "mail.b.test", 15min));
    senders.verified(lost, "mail.b.test");
    CHECK(senders.size() == 0);
    // The one that was not refused for longest gives way.
    for (int i = 0; i < 2001; ++i)
        senders.refused(lost, fmt::format("mail{}.test", i), "", now + std::chrono::seconds(i));
    CHECK(senders.size() == 2000);
    CHECK(senders.refused(lost, "mail0.test", "", now + 1h));
    CHECK_FALSE(senders.refused(lost, "mail2000.test", "", now + 1h));
}

TEST_CASE(
    "A domain that B cannot verify for a quarter of an hour goes by SMTP, called back first") {
    Sender a;
    const auto first = a.send_lost(1);
    CHECK_FALSE(deferred(first).settled);
    CHECK(deferred(first).retry_after == 60s);
    CHECK(deferred(first).reply ==
          mail::Reply{451,
                      {4, 7, 1},
                      "mail.b.test cannot verify the sender's domain lost.test: lost.test cannot "
                      "be asked over XMPP: answered remote-server-not-found"});
    a.clock.advance(14min);
    CHECK(is<queue::Deferred>(a.send_lost(1)));
    CHECK(a.b.asked["abort"] == 0);
    a.clock.advance(1min);
    const auto last = a.send_lost(1);
    CHECK(is<queue::Rerouted>(last));
    CHECK(a.b.asked["abort"] == 1);
    SECTION("the next mail of the domain does not wait, and does not even ask") {
        a.tries = 0;
        CHECK(is<queue::Rerouted>(a.send_lost(2)));
        CHECK_FALSE(a.send_lost(2).sent);
        CHECK(a.tries == 0);
        // What waits here and may have been sent is called back.
        auto waiting = a.lost(3);
        waiting.transfer->sent_before = true;
        CHECK(is<queue::Rerouted>(a.send({waiting}).at(0)));
        CHECK(a.b.asked["abort"] == 2);
        // Other domains are none the worse.
        CHECK(is<queue::Delivered>(a.send({a.message(4)}).at(0)));
    }
    SECTION("an hour later one is sent to see; if in vain, it is called back at once") {
        a.clock.advance(61min);
        a.tries = 0;
        CHECK(is<queue::Rerouted>(a.send_lost(2)));
        CHECK(a.tries == 1);
        CHECK(is<queue::Rerouted>(a.send_lost(3)));
        CHECK(a.tries == 1);
    }
    SECTION("once it can be verified, mail goes over XMPP again") {
        a.clock.advance(61min);
        a.peer = [&](const auto& asked) { return a.b.answer(asked); };
        CHECK(is<queue::Delivered>(a.send_lost(2)));
        CHECK(is<queue::Delivered>(a.send_lost(3)));
    }
    SECTION("where XMPP is required, it waits, and the reason is told") {
        const auto waits = a.send_lost(2, true);
        CHECK(deferred(waits).reply.text.find("cannot verify the sender's domain lost.test") !=
              std::string::npos);
        CHECK(a.b.asked["abort"] == 1);
    }
}

TEST_CASE("The administrator's own patience counts, if it is shorter") {
    Sender a;
    a.fallback_after = 10s;
    CHECK(is<queue::Deferred>(a.send_lost(1)));
    a.clock.advance(10s);
    CHECK(is<queue::Rerouted>(a.send_lost(2)));
}

TEST_CASE("A peer that has too much to do is waited for, whatever domain the mail is of") {
    Sender a;
    // As an older peer says it of everything, and a newer one of its load.
    a.refusal = busy("too many look-ups are under way");
    for (int i = 0; i < 20; ++i) {
        CHECK(is<queue::Deferred>(a.send_lost(1)));
        a.clock.advance(15min);
    }
    CHECK(a.b.asked["abort"] == 0);
}

TEST_CASE("Of a batch with several domains only the one that B cannot verify waits") {
    Sender a;
    const auto outcomes = a.send({a.lost(1), a.message(2), a.lost(3), a.message(4)});
    CHECK(is<queue::Deferred>(outcomes[0]));
    CHECK(is<queue::Delivered>(outcomes[1]));
    CHECK(is<queue::Deferred>(outcomes[2]));
    CHECK(is<queue::Delivered>(outcomes[3]));
    // Together, and singly; but not one after the other of what has just been refused.
    CHECK(a.tries == 4);
    CHECK(a.send({a.lost(5), a.lost(6)}).size() == 2);
    CHECK(a.tries == 5);
}

TEST_CASE("B says that it could not ask the sender's domain, and not so when it is only busy") {
    World b;
    b.list("a.test", {"mail.a.test"});
    b.infos["a.test"] = "dead";
    const auto judged = support::run<Authorisation>(
        b.io, [&] { return b.discovery->authorise(b.link, "mail.a.test", domain("a.test")); });
    CHECK(judged.answer == Authorisation::Answer::unknown);
    CHECK(judged.unreachable);
    b.link.up = false;
    const auto ours = support::run<Authorisation>(
        b.io, [&] { return b.discovery->authorise(b.link, "mail.c.test", domain("c.test")); });
    CHECK(ours.answer == Authorisation::Answer::unknown);
    CHECK_FALSE(ours.unreachable);
}
