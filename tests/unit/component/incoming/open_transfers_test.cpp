// OpenTransfers: B receives from A in pieces, within its bounds, and says what became of it.
#include "support/component/receiver.hpp"
#include "support/contents.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

/// A message that A sends in pieces.
struct InPieces {
    InPieces(Receiver& receiver, int number, std::size_t size = 5000,
             const std::vector<std::string>& to = {"bob@b.test"})
        : b(receiver), content("Subject: x\r\n\r\n") {
        while (content.size() < size)
            content += "Hello\r\n";
        message = b.message(number, to, content);
        message.content = mail::Content(content);
    }
    std::string opening() const { return *encode_open(message, mail::sha256(content)); }
    IqReply open() { return b.ask(opening()); }
    IqReply chunk(std::size_t offset, std::size_t size = std::string::npos) {
        return b.ask(encode_chunk(message.key, offset,
                                  std::string_view(content).substr(offset, size), true, codec));
    }
    IqReply commit() { return b.ask(encode_commit(message.key)); }
    mail::Sha256 digest() const { return digest_of(message, mail::sha256(content)); }
    IqReply status(const std::string& from = "mail.a.test") {
        return b.ask(encode_status(message.key, digest()), from, "get");
    }
    IqReply abort() { return b.ask(encode_abort(message.key, message.expires, digest())); }

    Receiver& b;
    std::string content;
    OutgoingMessage message = b.message(0);
    BlockCodec codec;
};

Verdict verdict(const IqReply& reply) {
    const auto* verdicts = std::get_if<Verdicts>(&reply);
    REQUIRE(verdicts != nullptr);
    REQUIRE(verdicts->size() == 1);
    return verdicts->front();
}
std::uint64_t acknowledged(const IqReply& reply) {
    REQUIRE(std::holds_alternative<Ack>(reply));
    return std::get<Ack>(reply).offset;
}
using VerdictState = Verdict::State;

}  // namespace

TEST_CASE("What has come in pieces has a verdict for the domains that it names, and none before") {
    HeardPromises heard;
    Receiver b;
    b.discovery->tell_of_promises(heard);
    b.link.settings_.domains = {domain("b.test"), domain("b2.test")};
    InPieces letter(b, 1, 5000, {"bob@b.test", "nobody@b2.test"});
    letter.open();
    letter.chunk(0);
    CHECK(heard.verdicts.empty());
    letter.commit();
    CHECK(heard.verdicts == std::vector<std::string>{"a.test b.test", "a.test b2.test"});
}

TEST_CASE("A harvester's allowance is one for all ways to ask") {
    Receiver b;
    const auto guesses = [](int recipients) {
        std::vector<std::string> all;
        for (int i = 0; i < recipients; ++i)
            all.push_back(fmt::format("guess{}@b.test", i));
        return all;
    };
    std::map<int, int> codes;
    const auto count = [&](const IqReply& reply) {
        REQUIRE(std::holds_alternative<Verdicts>(reply));
        for (const auto& each : std::get<Verdicts>(reply)) {
            for (const auto& recipient : each.recipients)
                ++codes[recipient.reply.code];
        }
    };
    // Several transfers of one request are judged at the same time.
    count(b.send({b.message(1, guesses(300)), b.message(2, guesses(300)), b.message(3)}));
    CHECK(codes == std::map<int, int>{{250, 1}, {550, 600}});
    InPieces mail(b, 4, 5000, guesses(500));
    count(mail.open());
    CHECK(codes == std::map<int, int>{{250, 1}, {450, 100}, {550, 1000}});
    count(b.send({b.message(5)}));
    CHECK(codes[450] == 101);
    b.clock.advance(1min);
    count(b.send({b.message(6, guesses(100)), b.message(7, guesses(100))}));
    CHECK(codes[550] == 1050);
    // A postmaster is always there.
    count(b.send({b.message(8, {"postmaster@b.test"})}));
    CHECK(codes[250] == 2);
}

TEST_CASE("One attacker's many names push nobody else's open transfers out of memory") {
    Receiver b;
    // Not by the rates of their class.
    b.intake.class_of = [](const mail::Domain&) { return queue::PeerClass::trusted; };
    InPieces mail(b, 1);
    REQUIRE(verdict(mail.open()).state == VerdictState::open);
    const std::vector<std::string> many(1000, "postmaster@b.test");
    for (int i = 0; i < 40; ++i) {
        const std::string name = fmt::format("x{}.evil.test", i);
        InPieces other(b, 100 + i, 5000, many);
        other.message.key.domain = domain(name);
        other.message.envelope.from = mailbox("eve@" + name);
        REQUIRE(verdict(b.ask(other.opening(), name)).state == VerdictState::open);
    }
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
    CHECK(b.receiver->holds() < 10);
}

TEST_CASE("Who has many open transfers gives way, not who has few") {
    Receiver b;
    // Not by the rates of their class.
    b.intake.class_of = [](const mail::Domain&) { return queue::PeerClass::trusted; };
    InPieces mail(b, 1);
    REQUIRE(verdict(mail.open()).state == VerdictState::open);
    const std::vector<std::string> many(1000, "postmaster@b.test");
    for (int i = 0; i < 40; ++i) {
        const std::string name = fmt::format("evil{}.test", i / 4);
        InPieces other(b, 100 + i, 5000, many);
        other.message.key.domain = domain(name);
        other.message.envelope.from = mailbox("eve@" + name);
        REQUIRE(verdict(b.ask(other.opening(), name)).state == VerdictState::open);
    }
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
}

TEST_CASE("B can't read what came: A hears so of each recipient, and sends it anew") {
    Receiver b;
    InPieces mail(b, 1, 700'000, {"bob@b.test", "postmaster@b.test"});
    CHECK(verdict(mail.open()).state == VerdictState::open);
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
    const auto fault = GENERATE(base::Errc::storage, base::Errc::damaged);
    SECTION("a range of it") {
        const int good = GENERATE(0, 1, 2);
        b.intake.as_content = [=](std::string bytes) {
            return support::slow(std::move(bytes), good, fault);
        };
    }
    SECTION("its file is gone") {
        b.intake.content_fails = base::Errc::damaged;
    }
    const auto refused = verdict(mail.commit());
    CHECK(refused.state == VerdictState::done);
    REQUIRE(refused.recipients.size() == 2);
    for (const auto& recipient : refused.recipients)
        CHECK(recipient.reply == mail::Reply{451, {4, 3, 0}, "what was sent can't be read"});
    CHECK(b.intake.disk.messages.empty());

    b.intake.content_fails.reset();
    b.intake.as_content = [](std::string bytes) { return support::slow(std::move(bytes)); };
    InPieces again(b, 2, 700'000);
    CHECK(verdict(again.open()).state == VerdictState::open);
    CHECK(acknowledged(again.chunk(0)) == again.content.size());
    CHECK(verdict(again.commit()).recipients.at(0).reply.code == 250);
    REQUIRE(b.intake.arrivals.size() == 2);
    CHECK(support::all_of(b.intake.arrivals[1].content) == again.content);
}

TEST_CASE("B's storage does not answer: it is asked again") {
    Receiver b;
    InPieces mail(b, 1);
    CHECK(verdict(mail.open()).state == VerdictState::open);
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
    b.intake.content_fails = base::Errc::storage;
    CHECK(b.error_of(mail.commit()) == "resource-constraint/busy");
    b.intake.content_fails.reset();
    CHECK(verdict(mail.commit()).state == VerdictState::done);
}

TEST_CASE("A opens, sends in pieces and commits; B takes it once") {
    Receiver b;
    InPieces mail(b, 1, 5000, {"bob@b.test", "nobody@b.test"});
    const auto opened = verdict(mail.open());
    CHECK(opened.state == VerdictState::open);
    CHECK(opened.offset == 0);
    CHECK(opened.window > 0);
    CHECK(opened.recipients.at(0).reply.code == 250);
    CHECK(opened.recipients.at(1).reply.code == 550);
    CHECK(acknowledged(mail.chunk(0, 2000)) == 2000);
    CHECK(acknowledged(mail.chunk(0, 2000)) == 2000);
    CHECK(b.error_of(mail.chunk(3000)) == "unexpected-request/bad-offset");
    CHECK(std::get<StanzaError>(mail.commit()).offset == 2000);
    CHECK(verdict(mail.status()).offset == 2000);
    CHECK(verdict(mail.open()).offset == 2000);
    CHECK(acknowledged(mail.chunk(2000)) == mail.content.size());
    CHECK(b.intake.arrivals.empty());
    const auto done = verdict(mail.commit());
    CHECK(done.state == VerdictState::done);
    CHECK(done.recipients == opened.recipients);
    REQUIRE(b.intake.arrivals.size() == 1);
    CHECK(b.intake.arrivals[0].content.bytes() == mail.content);
    CHECK(b.intake.arrivals[0].envelope.recipients.size() == 1);
    for (const auto& again : {mail.open(), mail.status(), mail.abort()})
        CHECK(verdict(again).queue_id == done.queue_id);
    // What the key alone can't say: whose verdict is asked for.
    CHECK(b.error_of(mail.commit()) == "item-not-found/unknown-transfer");
    CHECK(b.send({mail.message}).index() == IqReply(Verdicts()).index());
    CHECK(b.error_of(mail.chunk(0)) == "item-not-found/unknown-transfer");
    CHECK(b.intake.arrivals.size() == 1);
}

TEST_CASE("What has come is kept while B's own mail server is out, and goes on when it is back") {
    Receiver b;
    InPieces mail(b, 1);
    CHECK(verdict(mail.open()).state == VerdictState::open);
    CHECK(acknowledged(mail.chunk(0, 2000)) == 2000);
    b.check.out = true;
    const auto reply = mail.open();
    const auto* busy = std::get_if<StanzaError>(&reply);
    REQUIRE(busy != nullptr);
    CHECK(busy->ours == "busy");
    CHECK(verdict(mail.status()).state == VerdictState::open);
    b.check.out = false;
    CHECK(verdict(mail.open()).offset == 2000);
    // Of one that is new nothing has come, and its recipients are told so.
    b.check.out = true;
    InPieces other(b, 2);
    CHECK(verdict(other.open()).recipients.at(0).reply.is_transient());
}

TEST_CASE("B looks at the content of a large message as at that of a small one") {
    Receiver b;
    InPieces mail(b, 1);
    const auto after = [&](std::string content) {
        mail.content = std::move(content);
        mail.message.content = mail::Content(mail.content);
        REQUIRE(verdict(mail.open()).state == VerdictState::open);
        mail.chunk(0);
        return verdict(mail.commit()).recipients.at(0).reply.to_text();
    };
    SECTION("lines") {
        CHECK(after("Subject: x\r\n\r\nHello\n").starts_with("554 5.6.0"));
    }
    SECTION("header") {
        CHECK(after("no field\r\n\r\n").starts_with("554 5.6.0"));
    }
    SECTION("hash") {
        REQUIRE(verdict(mail.open()).state == VerdictState::open);
        mail.content[100] ^= 1;
        mail.chunk(0);
        CHECK(verdict(mail.commit()).recipients.at(0).reply.to_text().starts_with("554 5.6.0"));
    }
    SECTION("time") {
        REQUIRE(verdict(mail.open()).state == VerdictState::open);
        mail.chunk(0);
        b.clock.advance(24h + 1min);
        CHECK(verdict(mail.commit()).recipients.at(0).reply.to_text().starts_with("451 4.4.7"));
    }
    CHECK(b.intake.arrivals.size() == 1);
    CHECK(b.intake.arrivals[0].envelope.recipients.empty());
}

TEST_CASE("B refuses before a byte comes, and what goes beyond what was said") {
    Receiver b;
    InPieces nobody(b, 1, 5000, {"nobody@b.test"});
    CHECK(verdict(nobody.open()).state == VerdictState::done);
    CHECK(b.disk.find(nobody.message.key).state == queue::KnownTransfer::State::done);
    b.link.settings_.max_size = 4000;
    InPieces large(b, 2);
    CHECK(verdict(large.open()).recipients.at(0).reply.code == 552);
    b.link.settings_.max_size = 50000;
    InPieces mail(b, 3);
    CHECK(b.error_of(mail.chunk(0)) == "item-not-found/unknown-transfer");
    CHECK(b.error_of(mail.commit()) == "item-not-found/unknown-transfer");
    CHECK(b.error_of(b.ask(mail.opening(), "mail.evil.test")) == "forbidden/domain-not-authorized");
    REQUIRE(verdict(mail.open()).state == VerdictState::open);
    mail.content += "more";
    CHECK(b.error_of(mail.chunk(0)) == "bad-request/malformed");
    CHECK(b.error_of(b.ask(encode_status(mail.message.key))) == "bad-request/malformed");
    CHECK(verdict(mail.status("mail.evil.test")).state == VerdictState::unknown);
}

TEST_CASE("What A has called back, B never takes, even if it comes later") {
    Receiver b;
    InPieces mail(b, 1);
    CHECK(verdict(mail.status()).state == VerdictState::unknown);
    CHECK(verdict(mail.abort()).state == VerdictState::aborted);
    CHECK(verdict(mail.open()).state == VerdictState::aborted);
    CHECK(verdict(b.send({mail.message})).state == VerdictState::aborted);
    CHECK(verdict(mail.status()).state == VerdictState::aborted);
    InPieces opened(b, 2);
    mail.open();
    opened.open();
    opened.chunk(0);
    CHECK(verdict(opened.abort()).state == VerdictState::aborted);
    CHECK(verdict(opened.commit()).state == VerdictState::aborted);
    mail.message.expires = b.clock.now() - 1h;
    CHECK(b.error_of(mail.abort()) == "bad-request/malformed");
    CHECK(b.intake.arrivals.empty());
}

TEST_CASE("B gives no verdict on another message than the one that A asks about") {
    Receiver b;
    InPieces mail(b, 1);
    InPieces other(b, 1, 6000);
    const auto is_refused = [&](const IqReply& reply) {
        return b.error_of(reply) == "conflict/id-reuse";
    };
    SECTION("small, and taken") {
        CHECK(b.reply_to(mail.message).code == 250);
        CHECK(is_refused(b.send({other.message})));
    }
    SECTION("taken in pieces") {
        mail.open();
        mail.chunk(0);
        CHECK(verdict(mail.commit()).state == VerdictState::done);
    }
    SECTION("open") {
        mail.open();
        CHECK(is_refused(other.open()));
        CHECK(is_refused(other.abort()));
        CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
        CHECK(verdict(mail.commit()).state == VerdictState::done);
    }
    CHECK(is_refused(other.open()));
    CHECK(is_refused(other.status()));
    CHECK(is_refused(other.abort()));
    CHECK(verdict(mail.status()).state == VerdictState::done);
    CHECK(verdict(mail.abort()).state == VerdictState::done);
    // An older sender names the key alone, and is answered so.
    CHECK(verdict(b.ask(encode_status(mail.message.key), "mail.a.test", "get")).state ==
          VerdictState::done);
    CHECK(b.intake.arrivals.size() == 1);
}

TEST_CASE("What nobody asks for any more is forgotten in memory, and kept on the disk") {
    Receiver b;
    InPieces mail(b, 1);
    mail.open();
    mail.chunk(0, 2000);
    CHECK(b.receiver->holds() == 1);
    b.clock.advance(16min);
    b.receiver->sweep();
    CHECK(b.receiver->holds() == 0);
    CHECK(b.error_of(mail.chunk(2000)) == "item-not-found/unknown-transfer");
    CHECK(verdict(mail.open()).offset == 2000);
    mail.chunk(2000);
    CHECK(verdict(mail.commit()).state == VerdictState::done);
    CHECK(b.receiver->holds() == 0);
}
