// TransferReceiver: B receives from A, from strangers, twice, and too much.
#include "component/transfer_receiver.hpp"

#include "base/text.hpp"
#include "component/doubles.hpp"
#include "support/memory_reports.hpp"
#include "support/memory_transfers.hpp"
#include "support/run_until.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

class ListCheck final : public queue::RecipientCheck {
  public:
    base::Task<std::vector<mail::Reply>> check(mail::ReversePath, bool,
                                               std::vector<mail::Mailbox> recipients) override {
        ++calls;
        std::vector<mail::Reply> replies;
        for (const auto& recipient : recipients) {
            const bool known = recipient.local_part() == "bob" || !base::is_ascii(recipient.text());
            replies.push_back(known ? mail::Reply{250, {2, 1, 5}, "ok"}
                                    : mail::Reply{550, {5, 1, 1}, "No such user here"});
        }
        co_return replies;
    }
    int calls = 0;
};

/// mail.b.test, asked by mail.a.test.
struct Receiver : World {
    Receiver() : World({"b.test", "mail.b.test"}) {
        link.settings_.jid = "mail.b.test";
        link.settings_.domains = {domain("b.test")};
        list("a.test", {"mail.a.test"});
        add_component("mail.a.test", {"a.test"});
        receiver = std::make_unique<TransferReceiver>(io.get_executor(), link, *discovery, intake,
                                                      intake, reports, &check, router, clock);
    }
    ~Receiver() {
        support::run<bool>(io, [&]() -> base::Task<bool> {
            co_await receiver->stop();
            co_return true;
        });
        io.restart();
        io.run_for(20ms);
    }
    OutgoingMessage message(int number, const std::vector<std::string>& to = {"bob@b.test"},
                            std::string content = "Subject: x\r\n\r\nHello\r\n") {
        return {{domain("a.test"), fmt::format("019face33801a4c123b1612dd27{:05}", number)},
                envelope("alice@a.test", to),
                mail::Content(std::move(content)),
                clock.now() + 24h};
    }
    /// A sends `payload`; what B answers.
    IqReply ask(const std::string& payload, const std::string& from = "mail.a.test",
                const std::string& type = "set") {
        link.sent.clear();
        const std::string text = fmt::format(
            "<iq type='{}' id='q1' from='{}' to='mail.b.test'>{}</iq>", type, from, payload);
        const auto events = read(text);
        auto& stanza = const_cast<TransferStanza&>(std::get<TransferStanza>(events.at(0)));
        receiver->on_transfers(stanza.head, std::move(stanza.payload));
        return answer_of_b(from);
    }
    IqReply answer_of_b(const std::string& from) {
        for (int i = 0; i < 500 && link.sent.empty(); ++i) {
            io.restart();
            io.run_one_for(100ms);
        }
        REQUIRE(link.sent.size() == 1);
        auto events = read(link.sent[0]);
        if (auto* transfer = std::get_if<TransferStanza>(&events.at(0))) {
            CHECK(transfer->head.from == "mail.b.test");
            CHECK(transfer->head.to == from);
            CHECK(transfer->head.id == "q1");
            if (const auto* ack = std::get_if<Ack>(&transfer->payload)) return *ack;
            return std::get<Verdicts>(std::move(transfer->payload));
        }
        const auto& tag = *std::get<TagStanza>(events.at(0)).tag;
        CHECK(head_of(tag).from == "mail.b.test");
        if (head_of(tag).type == "result") return TagResult{read_tag(link.sent[0])};
        return read_error(tag);
    }
    IqReply send(const std::vector<OutgoingMessage>& messages,
                 const std::string& from = "mail.a.test") {
        BlockCodec codec;
        return ask(*encode_transfers(messages, {}, codec), from);
    }
    mail::Reply reply_to(const OutgoingMessage& message) {
        const auto reply = send({message});
        REQUIRE(std::holds_alternative<Verdicts>(reply));
        return std::get<Verdicts>(reply).at(0).recipients.at(0).reply;
    }
    std::string error_of(const IqReply& reply) {
        const auto* error = std::get_if<StanzaError>(&reply);
        return error == nullptr ? "" : error->condition + "/" + error->ours;
    }
    support::MemoryDisk disk;
    support::MemoryTransfers intake{disk};
    ListCheck check;
    queue::Router router{{{domain("b.test"), "mail.b.test"}}, "mail.b.test"};
    support::MemoryReports reports;
    std::unique_ptr<TransferReceiver> receiver;
};

}  // namespace

TEST_CASE("A sends to Bob and to nobody; B answers for each") {
    Receiver b;
    const auto message = b.message(1, {"bob@b.test", "nobody@b.test", "Postmaster@b.test"});
    const auto verdicts = std::get<Verdicts>(b.send({message}));
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].recipients.at(0).reply.code == 250);
    CHECK(verdicts[0].recipients.at(1).reply == mail::Reply{550, {5, 1, 1}, "No such user here"});
    CHECK(verdicts[0].recipients.at(2).reply.code == 250);
    REQUIRE(b.intake.arrivals.size() == 1);
    const auto& arrival = b.intake.arrivals[0];
    CHECK(arrival.content.bytes() == message.content.bytes());
    CHECK(arrival.envelope.recipients.size() == 2);
    CHECK(arrival.envelope.recipients[1].n == 2);
    CHECK(arrival.destinations.size() == 2);
    CHECK(arrival.transfer->verdicts.size() == 3);
    CHECK(arrival.origin.client == "mail.a.test");
    CHECK(verdicts[0].queue_id == queue::QueueId{1001}.to_text());
}

TEST_CASE("A repeats a transfer: the same verdict, nothing new, nobody asked") {
    Receiver b;
    const auto message = b.message(1, {"bob@b.test", "nobody@b.test"});
    const auto first = std::get<Verdicts>(b.send({message}));
    const auto calls = b.check.calls;
    b.clock.advance(25h);  // also after it has expired
    const auto again = std::get<Verdicts>(b.send({message}));
    CHECK(again.at(0).recipients == first.at(0).recipients);
    CHECK(again.at(0).queue_id == first.at(0).queue_id);
    CHECK(b.intake.arrivals.size() == 1);
    CHECK(b.check.calls == calls);
}

TEST_CASE("A uses an id again for something else") {
    Receiver b;
    b.send({b.message(1)});
    CHECK(b.error_of(b.send({b.message(1, {"bob@b.test"}, "Subject: other\r\n\r\n")})) ==
          "conflict/id-reuse");
    // In a batch it gets no verdict, and the others theirs.
    const auto verdicts =
        std::get<Verdicts>(b.send({b.message(1, {"carol@b.test"}), b.message(2)}));
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].key == b.message(2).key);
}

TEST_CASE("Strangers are refused, and those that cannot be verified are put off") {
    Receiver b;
    CHECK(b.error_of(b.send({b.message(1)}, "mail.evil.test")) ==
          "forbidden/domain-not-authorized");
    CHECK(b.error_of(b.send({b.message(1)}, "alice@mail.a.test")) ==
          "forbidden/domain-not-authorized");
    CHECK(b.error_of(b.send({b.message(1)}, "mail.a.test/x")) == "forbidden/domain-not-authorized");
    b.clock.advance(25h);
    b.infos["a.test"] = "dead";
    const auto reply = b.send({b.message(1)});
    CHECK(b.error_of(reply) == "resource-constraint/busy");
    CHECK(std::get<StanzaError>(reply).retry_after == 60s);
    CHECK(b.intake.arrivals.empty());
}

TEST_CASE("Each rule on content and envelope has its reply") {
    Receiver b;
    auto message = b.message(1);
    SECTION("someone else's sender") {
        message.envelope.from = mailbox("eve@evil.test");
        CHECK(b.reply_to(message).to_text().starts_with("550 5.7.1"));
    }
    SECTION("a subdomain's sender, and the null sender") {
        message.envelope.from = mailbox("alice@lists.a.test");
        CHECK(b.reply_to(message).code == 250);
        message = b.message(2);
        message.envelope.from.reset();
        CHECK(b.reply_to(message).code == 250);
    }
    SECTION("a sender below a public suffix, whose owner is another") {
        message.key.domain = domain("co.uk");
        message.envelope.from = mailbox("alice@victim.co.uk");
        const auto verdicts = std::get<Verdicts>(b.send({message}, "co.uk"));
        CHECK(verdicts.at(0).recipients.at(0).reply.to_text().starts_with("550 5.7.1"));
        message = b.message(2);
        message.key.domain = domain("co.uk");
        message.envelope.from = mailbox("postmaster@co.uk");
        CHECK(std::get<Verdicts>(b.send({message}, "co.uk")).at(0).recipients.at(0).reply.code ==
              250);
    }
    SECTION("a domain that is not ours") {
        message.envelope.recipients[0].address = mailbox("bob@c.test");
        CHECK(b.reply_to(message).to_text() == "550 5.7.1 relaying denied");
    }
    SECTION("a bare LF") {
        message.content = mail::Content("Subject: x\r\n\r\nHello\n.\r\n");
        CHECK(b.reply_to(message).to_text().starts_with("554 5.6.0"));
    }
    SECTION("a loop") {
        std::string content;
        for (int i = 0; i < 101; ++i)
            content += "Received: from x by y; date\r\n";
        message.content = mail::Content(content + "\r\n");
        CHECK(b.reply_to(message).to_text().starts_with("554 5.4.6"));
    }
    SECTION("it was here too often") {
        const std::string hop = "Received: from mail.a.test by mail.b.test via XMPP; date\r\n";
        std::string content;
        for (int i = 0; i < 5; ++i)
            content += hop;
        message.content = mail::Content(content + "\r\n");
        CHECK(b.reply_to(message).code == 250);
        message = b.message(2, {"bob@b.test"}, content + hop + "\r\n");
        CHECK(b.reply_to(message).to_text() == "554 5.4.6 it was here too often: a mail loop");
    }
    SECTION("an address that needs SMTPUTF8") {
        message.envelope.recipients[0].address = mailbox("j\xC3\xBCrgen@b.test");
        CHECK(b.reply_to(message).to_text().starts_with("553 5.6.7"));
        message = b.message(2, {"j\xC3\xBCrgen@b.test"});
        message.envelope.smtputf8 = true;
        CHECK(b.reply_to(message).code == 250);
    }
    SECTION("REQUIRETLS, which the last hop can't keep yet") {
        message.envelope.requiretls = true;
        CHECK(b.reply_to(message).to_text().starts_with("550 5.7.30"));
    }
    SECTION("a line in the header that is no field, behind which a forged one would hide") {
        const char* const forged = "Authentication-Results: mx.b.test; dkim=pass\r\n\r\nHi.\r\n";
        message = b.message(3, {"bob@b.test"}, std::string(" x\r\n") + forged);
        CHECK(b.reply_to(message).to_text().starts_with("554 5.6.0"));
        message = b.message(4, {"bob@b.test"}, std::string("A: b\r\nno field\r\n") + forged);
        CHECK(b.reply_to(message).to_text().starts_with("554 5.6.0"));
        message = b.message(5, {"bob@b.test"}, "\r\nno header at all\r\n");
        CHECK(b.reply_to(message).code == 250);
    }
    SECTION("expired, and too far ahead") {
        message.expires = b.clock.now() - 1s;
        CHECK(b.reply_to(message).to_text().starts_with("451 4.4.7"));
        message = b.message(2);
        message.expires = b.clock.now() + 24h * 8;
        CHECK(b.reply_to(message).to_text().starts_with("451 4.4.7"));
    }
    SECTION("too large") {
        b.link.settings_.max_size = 10;
        CHECK(b.reply_to(message).to_text().starts_with("552 5.3.4"));
    }
}

TEST_CASE("A member with the wrong hash spoils no other") {
    Receiver b;
    BlockCodec codec;
    auto payload = *encode_transfers(
        std::vector{b.message(1), b.message(2, {"bob@b.test"}, "Subject: 2\r\n\r\n")}, {}, codec);
    const auto at = payload.find("sha-256'>") + 9;
    payload[at] = payload[at] == 'A' ? 'B' : 'A';
    const auto verdicts = std::get<Verdicts>(b.ask(payload));
    REQUIRE(verdicts.size() == 2);
    CHECK(verdicts[0].recipients[0].reply.to_text().starts_with("554 5.6.0"));
    CHECK(verdicts[1].recipients[0].reply.code == 250);
}

TEST_CASE("What is no block is malformed as a whole") {
    Receiver b;
    BlockCodec codec;
    const auto good = *encode_transfers(std::vector{b.message(1)}, {false}, codec);
    const auto at = good.find("enc='none'");
    auto bad = good;
    CHECK(b.error_of(b.ask(bad.replace(at, 10, "enc='deflate'"))) == "bad-request/malformed");
    bad = good;
    bad.insert(bad.find("</block>"), "====");
    CHECK(b.error_of(b.ask(bad)) == "bad-request/malformed");
    CHECK(b.error_of(b.ask("<transfers xmlns='urn:xmpp:mail-transfer:0'/>")) ==
          "bad-request/malformed");
    CHECK(b.intake.arrivals.empty());
}

TEST_CASE("Without a commit there is no verdict") {
    Receiver b;
    b.intake.fails = base::Errc::storage;
    CHECK(b.error_of(b.send({b.message(1)})) == "resource-constraint/busy");
    b.intake.fails = base::Errc::conflict;
    CHECK(b.error_of(b.send({b.message(1)})) == "conflict/id-reuse");
    b.intake.fails.reset();
    CHECK(std::holds_alternative<Verdicts>(b.send({b.message(1)})));
}

TEST_CASE("One peer cannot have too many requests under way") {
    Receiver b;
    b.send({b.message(0)});
    b.link.sent.clear();
    BlockCodec codec;
    for (int i = 1; i <= 20; ++i) {
        auto read = read_payload(*encode_transfers(std::vector{b.message(i)}, {}, codec));
        b.receiver->on_transfers({"set", fmt::format("q{}", i), "mail.a.test", "mail.b.test"},
                                 std::move(read));
    }
    CHECK(b.link.sent.size() == 4);
    for (int i = 0; i < 2000 && b.link.sent.size() < 20; ++i) {
        b.io.restart();
        b.io.run_one_for(100ms);
    }
    CHECK(b.link.sent.size() == 20);
    CHECK(b.intake.arrivals.size() == 17);
}

TEST_CASE("One peer's large blocks leave memory for others'") {
    Receiver b;
    b.list("c.test", {"mail.c.test"});
    b.add_component("mail.c.test", {"c.test"});
    b.send({b.message(0)});
    b.link.sent.clear();
    b.intake.step = []() -> base::Task<bool> {
        co_await base::sleep_for(300ms);
        co_return true;
    };
    BlockCodec codec;
    std::string content = "Subject: x\r\n\r\n";
    while (content.size() + 80 < base::limits::kBlock)
        content += std::string(78, 'x') + "\r\n";
    const auto ask = [&](int number, const std::string& peer) {
        auto message = b.message(number, {"bob@b.test"}, content);
        message.key.domain = domain(peer.substr(5));
        message.envelope.from = mailbox("alice@" + peer.substr(5));
        auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
        b.receiver->on_transfers({"set", "q1", peer, "mail.b.test"}, std::move(read));
    };
    for (int i = 1; i <= 6; ++i)
        ask(i, "mail.a.test");
    ask(7, "mail.c.test");
    for (int i = 0; i < 2000 && b.link.sent.size() < 7; ++i) {
        b.io.restart();
        b.io.run_one_for(100ms);
    }
    CHECK(b.link.sent.size() == 7);
    const auto busy = std::ranges::count_if(b.link.sent, [](const std::string& stanza) {
        return stanza.find("<busy") != std::string::npos &&
               stanza.find("to='mail.a.test'") != std::string::npos;
    });
    CHECK(busy == 2);
    CHECK(b.intake.arrivals.size() == 1 + 4 + 1);
}

TEST_CASE("Strangers that must be looked up leave room for peers that are known") {
    Receiver b;
    b.send({b.message(0)});
    b.link.sent.clear();
    b.link.takes = 1s;
    b.dns->answers["slow.test"] = SrvAnswer::exists;
    BlockCodec codec;
    for (int i = 0; i < 120; ++i) {
        auto message = b.message(i);
        message.key.domain = domain("slow.test");
        auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
        b.receiver->on_transfers(
            {"set", "q1", fmt::format("mail.evil{}.test", i / 10), "mail.b.test"}, std::move(read));
    }
    auto read = read_payload(*encode_transfers(std::vector{b.message(1)}, {}, codec));
    b.receiver->on_transfers({"set", "q1", "mail.a.test", "mail.b.test"}, std::move(read));
    b.io.restart();
    b.io.run_for(300ms);
    CHECK(b.link.sent.size() == 45 + 1);
    CHECK(b.link.sent.back().find("code='250'") != std::string::npos);
    b.io.restart();
    b.io.run_for(3s);
    CHECK(b.link.sent.size() == 120 + 1);
}

TEST_CASE("Strangers that must be looked up leave room for peers that have to be looked up again") {
    Receiver b;
    b.list("c.test", {"mail.c.test"});
    b.add_component("mail.c.test", {"c.test"});
    b.find("c.test");
    b.discovery->sent_to(domain("c.test"));
    b.clock.advance(25h);
    b.dns->answers["slow.test"] = SrvAnswer::exists;
    b.link.takes = 50ms;
    BlockCodec codec;
    for (int i = 0; i < 120; ++i) {
        auto message = b.message(i);
        message.key.domain = domain("slow.test");
        auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
        b.receiver->on_transfers(
            {"set", "q1", fmt::format("mail.evil{}.test", i / 10), "mail.b.test"}, std::move(read));
    }
    auto message = b.message(1000);
    message.key.domain = domain("c.test");
    message.envelope.from = mailbox("carol@c.test");
    auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
    b.receiver->on_transfers({"set", "q1", "mail.c.test", "mail.b.test"}, std::move(read));
    support::run_until(b.io, [&] { return b.link.sent.size() == 121; });
    const auto taken = std::ranges::count_if(b.link.sent, [](const std::string& stanza) {
        return stanza.find("to='mail.c.test'") != std::string::npos &&
               stanza.find("code='250'") != std::string::npos;
    });
    CHECK(taken == 1);
}

TEST_CASE("All names of one organisation share what a peer may ask at once") {
    Receiver b;
    b.link.takes = 50ms;
    b.dns->answers["slow.test"] = SrvAnswer::exists;
    BlockCodec codec;
    for (int i = 0; i < 40; ++i) {
        auto message = b.message(i);
        message.key.domain = domain("slow.test");
        auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
        b.receiver->on_transfers({"set", "q1", fmt::format("x{}.evil.test", i), "mail.b.test"},
                                 std::move(read));
    }
    CHECK(b.link.sent.size() == 40 - base::limits::kReceivingBatches);
    support::run_until(b.io, [&] { return b.link.sent.size() == 40; });
}

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
using State = Verdict::State;

}  // namespace

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
    count(b.send({b.message(1, guesses(150)), b.message(2, guesses(150)), b.message(3)}));
    CHECK(codes == std::map<int, int>{{250, 1}, {550, 300}});
    InPieces mail(b, 4, 5000, guesses(300));
    count(mail.open());
    CHECK(codes == std::map<int, int>{{250, 1}, {450, 100}, {550, 500}});
    count(b.send({b.message(5)}));
    CHECK(codes[450] == 101);
    b.clock.advance(1min);
    count(b.send({b.message(6, guesses(100)), b.message(7, guesses(100))}));
    CHECK(codes[550] == 550);
    // A postmaster is always there.
    count(b.send({b.message(8, {"postmaster@b.test"})}));
    CHECK(codes[250] == 2);
}

TEST_CASE("One attacker's many names push nobody else's open transfers out of memory") {
    Receiver b;
    InPieces mail(b, 1);
    REQUIRE(verdict(mail.open()).state == State::open);
    const std::vector<std::string> many(1000, "postmaster@b.test");
    for (int i = 0; i < 40; ++i) {
        const std::string name = fmt::format("x{}.evil.test", i);
        InPieces other(b, 100 + i, 5000, many);
        other.message.key.domain = domain(name);
        other.message.envelope.from = mailbox("eve@" + name);
        REQUIRE(verdict(b.ask(other.opening(), name)).state == State::open);
    }
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
    CHECK(b.receiver->holds() < 10);
}

TEST_CASE("Who has many open transfers gives way, not who has few") {
    Receiver b;
    InPieces mail(b, 1);
    REQUIRE(verdict(mail.open()).state == State::open);
    const std::vector<std::string> many(1000, "postmaster@b.test");
    for (int i = 0; i < 40; ++i) {
        const std::string name = fmt::format("evil{}.test", i / 4);
        InPieces other(b, 100 + i, 5000, many);
        other.message.key.domain = domain(name);
        other.message.envelope.from = mailbox("eve@" + name);
        REQUIRE(verdict(b.ask(other.opening(), name)).state == State::open);
    }
    CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
}

TEST_CASE("A opens, sends in pieces and commits; B takes it once") {
    Receiver b;
    InPieces mail(b, 1, 5000, {"bob@b.test", "nobody@b.test"});
    const auto opened = verdict(mail.open());
    CHECK(opened.state == State::open);
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
    CHECK(done.state == State::done);
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

TEST_CASE("B looks at the content of a large message as at that of a small one") {
    Receiver b;
    InPieces mail(b, 1);
    const auto after = [&](std::string content) {
        mail.content = std::move(content);
        mail.message.content = mail::Content(mail.content);
        REQUIRE(verdict(mail.open()).state == State::open);
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
        REQUIRE(verdict(mail.open()).state == State::open);
        mail.content[100] ^= 1;
        mail.chunk(0);
        CHECK(verdict(mail.commit()).recipients.at(0).reply.to_text().starts_with("554 5.6.0"));
    }
    SECTION("time") {
        REQUIRE(verdict(mail.open()).state == State::open);
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
    CHECK(verdict(nobody.open()).state == State::done);
    CHECK(b.disk.find(nobody.message.key).state == queue::KnownTransfer::State::done);
    b.link.settings_.max_size = 4000;
    InPieces large(b, 2);
    CHECK(verdict(large.open()).recipients.at(0).reply.code == 552);
    b.link.settings_.max_size = 50000;
    InPieces mail(b, 3);
    CHECK(b.error_of(mail.chunk(0)) == "item-not-found/unknown-transfer");
    CHECK(b.error_of(mail.commit()) == "item-not-found/unknown-transfer");
    CHECK(b.error_of(b.ask(mail.opening(), "mail.evil.test")) == "forbidden/domain-not-authorized");
    REQUIRE(verdict(mail.open()).state == State::open);
    mail.content += "more";
    CHECK(b.error_of(mail.chunk(0)) == "bad-request/malformed");
    CHECK(b.error_of(b.ask(encode_status(mail.message.key))) == "bad-request/malformed");
    CHECK(verdict(mail.status("mail.evil.test")).state == State::unknown);
}

TEST_CASE("What A has called back, B never takes, even if it comes later") {
    Receiver b;
    InPieces mail(b, 1);
    CHECK(verdict(mail.status()).state == State::unknown);
    CHECK(verdict(mail.abort()).state == State::aborted);
    CHECK(verdict(mail.open()).state == State::aborted);
    CHECK(verdict(b.send({mail.message})).state == State::aborted);
    CHECK(verdict(mail.status()).state == State::aborted);
    InPieces opened(b, 2);
    mail.open();
    opened.open();
    opened.chunk(0);
    CHECK(verdict(opened.abort()).state == State::aborted);
    CHECK(verdict(opened.commit()).state == State::aborted);
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
        CHECK(verdict(mail.commit()).state == State::done);
    }
    SECTION("open") {
        mail.open();
        CHECK(is_refused(other.open()));
        CHECK(is_refused(other.abort()));
        CHECK(acknowledged(mail.chunk(0)) == mail.content.size());
        CHECK(verdict(mail.commit()).state == State::done);
    }
    CHECK(is_refused(other.open()));
    CHECK(is_refused(other.status()));
    CHECK(is_refused(other.abort()));
    CHECK(verdict(mail.status()).state == State::done);
    CHECK(verdict(mail.abort()).state == State::done);
    // An older sender names the key alone, and is answered so.
    CHECK(verdict(b.ask(encode_status(mail.message.key), "mail.a.test", "get")).state ==
          State::done);
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
    CHECK(verdict(mail.commit()).state == State::done);
    CHECK(b.receiver->holds() == 0);
}

namespace {

queue::PeerReport failure_report() {
    return {{domain("b.test"), "018f00000001"},
            2,
            {{0,
              mail::Action::failed,
              {550, {5, 1, 1}, "No such user"},
              base::TimePoint(),
              "mx.a.test",
              "robert@a.test"}}};
}

}  // namespace

TEST_CASE("a peer reports on mail that it took; the answer comes once that is on the disk") {
    Receiver b;
    const auto reply = b.ask(*encode_report(failure_report()));
    REQUIRE(b.reports.taken.size() == 1);
    CHECK(b.reports.taken[0].first == failure_report());
    CHECK(b.reports.taken[0].second == "mail.a.test");
    CHECK(std::holds_alternative<TagResult>(reply));
    CHECK(b.receiver->holds() == 0);
}

TEST_CASE("a report that does not count is refused by the error that says why") {
    const auto [code, error] = GENERATE(table<base::Errc, std::string>({
        {base::Errc::not_found, "item-not-found/unknown-transfer"},
        {base::Errc::refused, "forbidden/domain-not-authorized"},
        {base::Errc::busy, "resource-constraint/busy"},
        {base::Errc::storage, "resource-constraint/busy"},
    }));
    Receiver b;
    b.reports.fails = code;
    const auto reply = b.ask(*encode_report(failure_report()));
    CHECK(b.error_of(reply) == error);
}

TEST_CASE("a report that breaks the protocol is malformed, and nobody hears of it") {
    const std::string good = *encode_report(failure_report());
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string text = good;
        const auto at = text.find(from);
        REQUIRE(at != std::string::npos);
        return text.replace(at, from.size(), to);
    };
    const std::string bad = GENERATE_COPY(
        changed("seq='2'", "seq='0'"), changed("action='failed'", "action='lost'"),
        changed("status='5.1.1'", "status='2.1.1'"),
        changed("action='failed'", "action='delivered'"), changed("code='550'", "code='250'"),
        changed("mta='mx.a.test'", "mta='a b'"), changed("final='robert@a.test'", "final='robert'"),
        changed("n='0'", "n='0' why='x'"),
        changed("time='1970-01-01T00:00:00Z'", "time='yesterday'"));
    Receiver b;
    CHECK(b.error_of(b.ask(bad)) == "bad-request/malformed");
    CHECK(b.reports.taken.empty());
}
