// TransferReceiver: B receives from A, from strangers, twice, and too much.
#include "support/component/receiver.hpp"
#include "support/log_lines.hpp"

using namespace doubles;
using namespace std::chrono_literals;

TEST_CASE("A sends to Bob and to nobody; B answers for each") {
    const support::LogLines log;
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
    CHECK(log.count("transfer-accepted") == 1);
    CHECK(log.count("recipients-refused") == 0);
}

TEST_CASE(
    "A sends to nobody who is there; B logs that it was refused, and not that it was accepted") {
    const support::LogLines log;
    Receiver b;
    const auto message = b.message(1, {"nobody@b.test", "nobody2@b.test"});
    const auto verdicts = std::get<Verdicts>(b.send({message}));
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].recipients.at(0).reply.code == 550);
    CHECK(verdicts[0].queue_id.empty());
    CHECK(log.count("recipients-refused") == 1);
    CHECK(log.count("transfer-accepted") == 0);
}

TEST_CASE("Who hears of verdicts hears of each domain of ours in a transfer that was taken") {
    HeardPromises heard;
    Receiver b;
    b.discovery->tell_of_promises(heard);
    b.link.settings_.domains = {domain("b.test"), domain("b2.test"), domain("b3.test")};
    b.send({b.message(1, {"nobody@b.test"})});
    CHECK(heard.verdicts.empty());
    b.send({b.message(2, {"bob@b.test", "nobody@b.test", "nobody@b2.test", "bob@c.test"})});
    CHECK(heard.verdicts == std::vector<std::string>{"a.test b.test", "a.test b2.test"});
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
    CHECK(std::get<StanzaError>(reply).cause == BusyCause::unverified);
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
    support::run_until(b.io, [&] { return b.link.sent.size() == 20; });
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
    support::run_until(b.io, [&] { return b.link.sent.size() == 7; });
    const auto busy = std::ranges::count_if(b.link.sent, [](const std::string& stanza) {
        return stanza.find("<busy") != std::string::npos &&
               stanza.find("to='mail.a.test'") != std::string::npos;
    });
    CHECK(busy == 2);
    CHECK(b.intake.arrivals.size() == 1 + 4 + 1);
}

TEST_CASE("What was unpacked for one request is there for the next") {
    Receiver b;
    constexpr std::size_t kFit = base::limits::kPeerUnpacked / base::limits::kBlock;
    for (std::size_t i = 0; i < kFit + 2; ++i) {
        const auto reply =
            b.send({b.message(static_cast<int>(i), {"bob@b.test"},
                              std::string(base::limits::kBlock - 100, 'x') + "\r\n")});
        CHECK(std::holds_alternative<Verdicts>(reply));
    }
}

TEST_CASE("Bombs with a wrong hash, each another mail, are unpacked a few at a time") {
    Receiver b;
    b.send({b.message(0)});
    b.link.sent.clear();
    constexpr std::size_t kAsked = 16;
    constexpr std::size_t kFit = base::limits::kPeerUnpacked / base::limits::kBlock;
    // Those that are unpacked stay so until the others have been refused.
    b.intake.step = [&]() -> base::Task<bool> {
        for (int i = 0; i < 5000 && b.link.sent.size() < kAsked - kFit; ++i)
            co_await base::sleep_for(1ms);
        co_return true;
    };
    BlockCodec codec;
    for (std::size_t i = 1; i <= kAsked; ++i) {
        auto message =
            b.message(static_cast<int>(i), {"bob@b.test"}, std::string(base::limits::kBlock, '\0'));
        auto read = read_payload(*encode_transfers(std::vector{message}, {}, codec));
        auto& batch = std::get<IncomingBatch>(read);
        REQUIRE(batch.block.size() < base::limits::kBlock / 100);
        batch.transfers[0].hash[0] ^= 1;
        b.receiver->on_transfers({"set", "q1", "mail.a.test", "mail.b.test"}, std::move(read));
    }
    support::run_until(b.io, [&] { return b.link.sent.size() == kAsked; });
    const auto with = [&](const char* text) {
        return static_cast<std::size_t>(std::ranges::count_if(
            b.link.sent,
            [&](const std::string& stanza) { return stanza.find(text) != std::string::npos; }));
    };
    CHECK(with("the hash is not that of the content") == kFit);
    // It is this bound that refuses the others.
    CHECK(with("too much is being unpacked at once") == kAsked - kFit);
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
    b.time.advance(300ms);
    CHECK(b.link.sent.size() == 45 + 1);
    CHECK(b.link.sent.back().find("code='250'") != std::string::npos);
    b.time.advance(4s);
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

TEST_CASE("a peer complains of mail that it took, as long as complaints are taken") {
    const queue::Complaint complaint{{domain("b.test"), "018f00000001"}, true};
    Receiver b;
    CHECK(std::holds_alternative<TagResult>(b.ask(encode_complaint(complaint))));
    REQUIRE(b.complaints.taken.size() == 1);
    CHECK(b.complaints.taken[0].first == complaint);
    CHECK(b.complaints.taken[0].second == "mail.a.test");
    CHECK(b.receiver->holds() == 0);
    for (const auto& [code, error] :
         {std::pair(base::Errc::not_found, "item-not-found/unknown-transfer"),
          std::pair(base::Errc::refused, "forbidden/domain-not-authorized"),
          std::pair(base::Errc::busy, "resource-constraint/busy")}) {
        b.complaints.fails = code;
        CHECK(b.error_of(b.ask(encode_complaint(complaint))) == error);
    }
    std::string bad = encode_complaint(complaint);
    bad.replace(bad.find("'spam'"), 6, "'ham'");
    CHECK(b.error_of(b.ask(bad)) == "bad-request/malformed");

    Receiver without(false);
    CHECK(without.error_of(without.ask(encode_complaint(complaint))) == "service-unavailable/");
    CHECK(without.complaints.taken.empty());
}

TEST_CASE("B announces no more recipients than its answer has room for, and cuts their texts") {
    Receiver b;
    b.link.settings_.max_stanza = GENERATE(10000u, 65536u);
    const auto iq = read_tag("<iq type='result' id='x' from='x' to='y'>" +
                             disco_info_query(b.link.settings_) + "</iq>");
    const std::size_t most = read_disco_info(*iq).capability->max_recipients;
    CHECK(most == b.link.settings_.max_stanza / 10 * 8 / 80);
    b.check.refusal = {450, {4, 2, 1}, std::string(300, '&')};
    std::vector<std::string> to;
    for (std::size_t n = 0; n < most; ++n)
        to.push_back(fmt::format("u{}@b.test", n));
    const auto verdicts = std::get<Verdicts>(b.send({b.message(1, to)}));
    CHECK(b.link.sent.at(0).size() < b.link.settings_.max_stanza / 10 * 9);
    REQUIRE(verdicts.at(0).recipients.size() == most);
    // Each keeps its code; and with fewer of them, there is room for words.
    CHECK(verdicts[0].recipients.back().reply.status == mail::EnhancedStatus{4, 2, 1});
    to.resize(most / 4);
    const auto fewer = std::get<Verdicts>(b.send({b.message(2, to)}));
    CHECK(fewer.at(0).recipients.back().reply.text.size() >= 9);
    CHECK(b.link.sent.at(0).size() < b.link.settings_.max_stanza / 10 * 9);
}
