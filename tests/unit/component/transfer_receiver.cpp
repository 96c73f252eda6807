// TransferReceiver: B receives from A, from strangers, twice, and too much.
#include "component/transfer_receiver.hpp"

#include "base/text.hpp"
#include "component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

class MemoryIntake final : public queue::Intake {
  public:
    base::Task<std::vector<base::Result<queue::Committed<queue::Receipt>>>> accept_all(
        std::vector<queue::Arrival> all) override {
        std::vector<base::Result<queue::Committed<queue::Receipt>>> results;
        co_await base::sleep_for(takes);
        for (auto& arrival : all) {
            if (fails) {
                results.push_back(base::fail(*fails, "as the test wants"));
                continue;
            }
            queue::Receipt receipt;
            if (!arrival.envelope.recipients.empty()) receipt.id = queue::QueueId{++ids};
            const auto& transfer = *arrival.transfer;
            verdicts.insert_or_assign(
                transfer.key, queue::StoredVerdict{transfer.digest, transfer.peer, receipt.id,
                                                   transfer.verdicts});
            arrivals.push_back(std::move(arrival));
            results.push_back(queue::StorageThread::commit_for_test(std::move(receipt)));
        }
        co_return results;
    }
    base::Task<base::Result<std::vector<std::optional<queue::StoredVerdict>>>> find_verdicts(
        std::vector<queue::TransferKey> keys) override {
        std::vector<std::optional<queue::StoredVerdict>> found;
        for (const auto& key : keys) {
            const auto at = verdicts.find(key);
            found.push_back(at == verdicts.end() ? std::nullopt : std::optional(at->second));
        }
        co_return found;
    }
    base::Task<base::Result<std::shared_ptr<queue::Spool>>> spool() override {
        co_return base::fail(base::Errc::storage, "no spool in this test");
    }
    std::optional<base::Errc> fails;
    std::map<queue::TransferKey, queue::StoredVerdict> verdicts;
    std::vector<queue::Arrival> arrivals;
    std::int64_t ids = 1000;
    std::chrono::milliseconds takes = 1ms;
};

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
    Receiver() {
        link.settings_.jid = "mail.b.test";
        link.settings_.domains = {domain("b.test")};
        list("a.test", {"mail.a.test"});
        add_component("mail.a.test", {"a.test"});
        receiver = std::make_unique<TransferReceiver>(io.get_executor(), link, *discovery, intake,
                                                      &check, router, clock);
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
    IqReply ask(const std::string& payload, const std::string& from = "mail.a.test") {
        link.sent.clear();
        const auto events = read(fmt::format(
            "<iq type='set' id='q1' from='{}' to='mail.b.test'>{}</iq>", from, payload));
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
            return std::get<Verdicts>(std::move(transfer->payload));
        }
        const auto& tag = *std::get<TagStanza>(events.at(0)).tag;
        CHECK(head_of(tag).from == "mail.b.test");
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
    MemoryIntake intake;
    ListCheck check;
    queue::Router router{{{domain("b.test"), "mail.b.test"}}, "mail.b.test"};
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
    const auto good = *encode_transfers(std::vector{b.message(1)}, {false, true}, codec);
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
    b.intake.takes = 1s;
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
            {"set", "q1", fmt::format("mail{}.evil.test", i / 10), "mail.b.test"}, std::move(read));
    }
    auto read = read_payload(*encode_transfers(std::vector{b.message(1)}, {}, codec));
    b.receiver->on_transfers({"set", "q1", "mail.a.test", "mail.b.test"}, std::move(read));
    b.io.restart();
    b.io.run_for(300ms);
    CHECK(b.link.sent.size() == 20 + 1);
    CHECK(b.link.sent.back().find("code='250'") != std::string::npos);
    b.io.restart();
    b.io.run_for(3s);
    CHECK(b.link.sent.size() == 120 + 1);
}
