// What the class of a sending domain means at the receiver, for small transfers and for large ones.
#include "support/component/receiver.hpp"

#include <catch2/catch.hpp>

using namespace doubles;
using queue::PeerClass;

namespace {

/// B, which knows what to think of a.test.
struct Classified : Receiver {
    Classified() {
        intake.class_of = [this](const mail::Domain& of) {
            return of == domain("a.test") ? peer_class : PeerClass::trusted;
        };
        ClassRules rules;
        ClassRule rule;
        rule.an_hour = {3, std::nullopt, std::nullopt};
        rules.set(PeerClass::limited, rule);
        rule = {};
        rule.max_size = 30;
        rules.set(PeerClass::poor, rule);
        rule = {};
        rule.assurance = Assurance::pkix;
        rules.set(PeerClass::known, rule);
        gate.use(rules);
    }
    Verdicts verdicts_on(const std::vector<OutgoingMessage>& messages) {
        const auto reply = send(messages);
        REQUIRE(std::holds_alternative<Verdicts>(reply));
        return std::get<Verdicts>(reply);
    }
    /// A opens a large message, and hears this.
    IqReply opens(const OutgoingMessage& message) {
        return ask(*encode_open(message, mail::sha256(message.content.bytes())));
    }
    PeerClass peer_class = PeerClass::limited;
};

mail::Reply reply_of(const Verdict& verdict, std::size_t at = 0) {
    return verdict.recipients.at(at).reply;
}

const StanzaError& error_in(const IqReply& reply) {
    REQUIRE(std::holds_alternative<StanzaError>(reply));
    return std::get<StanzaError>(reply);
}

}  // namespace

TEST_CASE("a limited peer's mail waits for its turn, and comes at the rate") {
    Classified b;
    for (int i = 0; i < 3; ++i)
        CHECK(b.reply_to(b.message(i)).is_success());
    const auto fourth = b.message(3);
    const auto waits = b.send({fourth});
    CHECK(b.error_of(waits) == "resource-constraint/busy");
    CHECK(error_in(waits).cause == BusyCause::rate);
    CHECK(error_in(waits).retry_after == 20min);
    CHECK(b.check.calls == 3);
    // Nothing of it was decided: the same id comes again, when it was told.
    b.clock.advance(20min);
    CHECK(b.reply_to(fourth).is_success());
    CHECK(b.intake.arrivals.size() == 4);
}

TEST_CASE("what has its verdict gets it again, and counts no more") {
    Classified b;
    const auto first = b.message(0);
    for (int i = 0; i < 10; ++i)
        CHECK(b.reply_to(first).is_success());
    CHECK(b.reply_to(b.message(1)).is_success());
    CHECK(b.reply_to(b.message(2)).is_success());
    CHECK(b.error_of(b.send({b.message(3)})) == "resource-constraint/busy");
    CHECK(b.reply_to(first).is_success());
    CHECK(b.intake.arrivals.size() == 3);
    // Blocked meanwhile: what was accepted stays so.
    b.peer_class = PeerClass::blocked;
    CHECK(b.reply_to(first).is_success());
}

TEST_CASE("of a batch comes what there is room for, and the rest is left out") {
    Classified b;
    std::vector<OutgoingMessage> batch;
    for (int i = 0; i < 5; ++i)
        batch.push_back(b.message(i));
    const auto verdicts = b.verdicts_on(batch);
    REQUIRE(verdicts.size() == 3);
    CHECK(verdicts[2].key == batch[2].key);
    CHECK(b.intake.arrivals.size() == 3);
    // Nobody else has to wait for that.
    auto other = b.message(9);
    other.key.domain = domain("mail.a.test");
    other.envelope = envelope("carol@mail.a.test", {"bob@b.test"});
    const auto both = b.verdicts_on({batch[3], other});
    REQUIRE(both.size() == 1);
    CHECK(both[0].key == other.key);
}

TEST_CASE("a blocked peer's mail is refused for good, before anything is looked at") {
    Classified b;
    b.peer_class = PeerClass::blocked;
    auto message = b.message(1, {"bob@b.test", "nobody@b.test"});
    const auto verdict = b.verdicts_on({message}).at(0);
    CHECK(verdict.queue_id.empty());
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(reply_of(verdict, i).code == 550);
        // Of what is refused so, nothing goes by SMTP.
        CHECK(reply_of(verdict, i).status == mail::EnhancedStatus{5, 7, 0});
    }
    CHECK(b.check.calls == 0);
    // Not even what is in it.
    message = b.message(2, {"bob@b.test"}, "a line that is no field\r\n\r\nx\r\n");
    CHECK(b.reply_to(message).status == mail::EnhancedStatus{5, 7, 0});
    // Larger than this component takes, which SMTP may take: that is not what counts.
    b.link.settings_.max_size = 10;
    CHECK(b.reply_to(b.message(3)).status == mail::EnhancedStatus{5, 7, 0});
    // An administrator thinks better of it: what was refused stays so, and what is new comes.
    b.peer_class = PeerClass::trusted;
    b.link.settings_.max_size = 1000;
    CHECK(b.reply_to(message).status == mail::EnhancedStatus{5, 7, 0});
    CHECK(b.reply_to(b.message(4)).is_success());
}

TEST_CASE("a postmaster is reached from a blocked domain, and nobody beside him") {
    Classified b;
    b.peer_class = PeerClass::blocked;
    const auto verdict = b.verdicts_on({b.message(1, {"Postmaster@b.test", "bob@b.test"})}).at(0);
    CHECK(reply_of(verdict, 0).is_success());
    CHECK(reply_of(verdict, 1).status == mail::EnhancedStatus{5, 7, 0});
    REQUIRE(b.intake.arrivals.size() == 1);
    CHECK(b.intake.arrivals[0].envelope.recipients.size() == 1);
    CHECK(b.check.calls == 0);
    // The other rules hold for him.
    const auto bad = b.message(2, {"postmaster@b.test", "bob@b.test"}, "no field\r\n\r\nx\r\n");
    const auto refused = b.verdicts_on({bad}).at(0);
    CHECK(reply_of(refused, 0).status == mail::EnhancedStatus{5, 6, 0});
    CHECK(reply_of(refused, 1).status == mail::EnhancedStatus{5, 7, 0});
}

TEST_CASE("what a blocked domain sends to a postmaster counts with its octets") {
    Classified b;
    b.peer_class = PeerClass::blocked;
    ClassRules rules;
    ClassRule rule;
    rule.refuse = true;
    rule.an_hour[static_cast<std::size_t>(PeerCount::bytes)] = 20;
    rules.set(PeerClass::blocked, rule);
    b.gate.use(rules);
    // Of what nobody gets, nothing stays.
    for (int i = 0; i < 3; ++i)
        CHECK(b.reply_to(b.message(i)).status == mail::EnhancedStatus{5, 7, 0});
    CHECK(b.reply_to(b.message(3, {"postmaster@b.test"})).is_success());
    const auto waits = b.send({b.message(4, {"postmaster@b.test"})});
    CHECK(error_in(waits).cause == BusyCause::rate);
}

TEST_CASE("a batch with a refused member: its block is for the others") {
    Classified b;
    b.peer_class = PeerClass::blocked;
    auto other = b.message(2);
    other.key.domain = domain("mail.a.test");
    other.envelope = envelope("carol@mail.a.test", {"bob@b.test"});
    const auto verdicts = b.verdicts_on({b.message(1), other});
    REQUIRE(verdicts.size() == 2);
    CHECK(reply_of(verdicts[0]).status == mail::EnhancedStatus{5, 7, 0});
    CHECK(reply_of(verdicts[1]).is_success());
    REQUIRE(b.intake.arrivals.size() == 2);
    CHECK(b.intake.arrivals[0].envelope.recipients.empty());
    CHECK(b.intake.arrivals[1].envelope.from->text() == "carol@mail.a.test");
    CHECK(b.intake.arrivals[1].content.bytes() == "Subject: x\r\n\r\nHello\r\n");
}

TEST_CASE("a class has a size, and links that it demands; neither lets the mail go by SMTP") {
    Classified b;
    b.peer_class = PeerClass::poor;
    CHECK(b.reply_to(b.message(1)).is_success());
    const auto large =
        b.reply_to(b.message(2, {"bob@b.test"}, "Subject: x\r\n\r\nHello, hello, hello\r\n"));
    CHECK(large.status == mail::EnhancedStatus{5, 2, 3});
    b.peer_class = PeerClass::known;
    b.link.settings_.assurance = Assurance::dialback;
    CHECK(b.reply_to(b.message(3)).status == mail::EnhancedStatus{5, 7, 0});
    b.link.settings_.assurance = Assurance::pkix;
    CHECK(b.reply_to(b.message(4)).is_success());
}

TEST_CASE("a large message is refused, or put off, before its octets come") {
    Classified b;
    for (int i = 0; i < 3; ++i) {
        const auto opened = b.opens(b.message(i));
        REQUIRE(std::holds_alternative<Verdicts>(opened));
        CHECK(std::get<Verdicts>(opened).at(0).state == Verdict::State::open);
    }
    const auto fourth = b.opens(b.message(3));
    CHECK(b.error_of(fourth) == "resource-constraint/busy");
    CHECK(error_in(fourth).cause == BusyCause::rate);
    // One that is open goes on.
    CHECK(std::get<Verdicts>(b.opens(b.message(0))).at(0).state == Verdict::State::open);
    b.peer_class = PeerClass::blocked;
    const auto refused = b.opens(b.message(4));
    REQUIRE(std::holds_alternative<Verdicts>(refused));
    CHECK(std::get<Verdicts>(refused).at(0).state == Verdict::State::done);
    CHECK(reply_of(std::get<Verdicts>(refused).at(0)).status == mail::EnhancedStatus{5, 7, 0});
    // Of what was not accepted yet, no more comes.
    const auto closed = b.opens(b.message(1));
    CHECK(reply_of(std::get<Verdicts>(closed).at(0)).status == mail::EnhancedStatus{5, 7, 0});
}

TEST_CASE("a large message whose domain is blocked while it comes is refused at its end") {
    Classified b;
    const auto message = b.message(1, {"bob@b.test", "postmaster@b.test"});
    CHECK(std::get<Verdicts>(b.opens(message)).at(0).state == Verdict::State::open);
    BlockCodec codec;
    const auto chunk = encode_chunk(message.key, 0, message.content.bytes(), true, codec);
    REQUIRE(std::holds_alternative<Ack>(b.ask(chunk)));
    b.peer_class = PeerClass::blocked;
    const auto answer = b.ask(encode_commit(message.key));
    REQUIRE(std::holds_alternative<Verdicts>(answer));
    const Verdict verdict = std::get<Verdicts>(answer).at(0);
    CHECK(verdict.state == Verdict::State::done);
    CHECK(reply_of(verdict, 0).status == mail::EnhancedStatus{5, 7, 0});
    CHECK(reply_of(verdict, 1).is_success());
    REQUIRE(b.intake.arrivals.size() == 1);
    CHECK(b.intake.arrivals[0].envelope.recipients.size() == 1);
}

TEST_CASE("what could not be stored has not used anything up") {
    Classified b;
    b.intake.fails = base::Errc::storage;
    for (int i = 0; i < 10; ++i)
        CHECK(b.error_of(b.send({b.message(i)})) == "resource-constraint/busy");
    b.intake.fails.reset();
    for (int i = 0; i < 3; ++i)
        CHECK(b.reply_to(b.message(i)).is_success());
    CHECK(error_in(b.send({b.message(3)})).cause == BusyCause::rate);
}

TEST_CASE("a transfer whose time is over gets the word on that, whatever its class") {
    Classified b;
    b.peer_class = PeerClass::blocked;
    auto late = b.message(1);
    late.expires = b.clock.now() - 1s;
    // Under another id it would be decided: this one need not be kept.
    CHECK(b.reply_to(late).status == mail::EnhancedStatus{4, 4, 7});
}
