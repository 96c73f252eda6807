// XmppCourier against peers, and servers, that answer one request wrongly: the others go on,
// nothing is repeated without end, and no verdict counts that is on something else.
#include "support/component/courier_and_peer.hpp"
#include "support/contents.hpp"

using namespace doubles;

TEST_CASE("A server that stumbles over one member does not hold the others") {
    Courier a;
    PeerDisk b;
    const auto poison = a.message(2).transfer->key.id;
    IqReply reply;
    a.peer = [&](const auto& asked) -> IqReply {
        const bool is_question = asked.type == "get";
        if (!is_question && asked.payload.find(poison) != std::string::npos) return reply;
        return b.answer(asked);
    };
    std::vector<queue::LeasedMessage> messages{a.message(1), a.message(2), a.message(3)};
    SECTION("with an error") {
        const auto* condition = GENERATE("remote-server-timeout", "recipient-unavailable",
                                         "service-unavailable", "item-not-found");
        reply = error(condition);
    }
    SECTION("with silence") {
        reply = NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
    }
    SECTION("and the poison is a large one") {
        reply = error("remote-server-timeout");
        messages[1] = a.message(2, "Subject: x\r\n\r\n" + a.noise(500000) + "\r\n");
        messages.push_back(a.message(4, "Subject: x\r\n\r\n" + a.noise(500000) + "\r\n"));
    }
    const auto outcomes = a.send(messages);
    CHECK(is<queue::Delivered>(outcomes[0]));
    // By itself it waits for longer and longer; its peer is not out, and no word of it is a reason
    // to try this again.
    CHECK_FALSE(deferred(outcomes[1]).settled);
    CHECK(deferred(outcomes[1]).reply.status == mail::EnhancedStatus{4, 5, 0});
    CHECK(is<queue::Delivered>(outcomes[2]));
    CHECK(is<queue::Delivered>(outcomes.back()));
}

TEST_CASE("A stanza has no more recipients than B takes") {
    Courier a;
    ComponentSettings theirs;
    theirs.jid = "mail.b.test";
    theirs.domains = {domain("b.test")};
    std::string info = disco_info_query(theirs);
    const std::string field = "max-recipients";
    const auto value = info.find("<value>", info.find(field)) + 7;
    info.replace(value, info.find('<', value) - value, "5");
    a.infos[theirs.jid] = info;
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, ""}); };
    std::vector<queue::LeasedMessage> messages{a.message(1), a.message(2), a.message(3)};
    for (auto& message : messages)
        message.envelope = envelope("alice@a.test", {"bob@b.test", "bert@b.test"});
    for (const auto& outcome : a.send(messages))
        CHECK(is<queue::Delivered>(outcome));
    CHECK(a.sizes == std::vector<std::size_t>{2, 1});
}

TEST_CASE("A content that can't be read waits as it is, or is held, and the others go on") {
    Courier a;
    PeerDisk b;
    a.peer = [&](const auto& asked) { return b.answer(asked); };
    const std::string large = "Subject: x\r\n\r\n" + a.noise(700000) + "\r\n";
    const auto fault = GENERATE(base::Errc::storage, base::Errc::damaged);
    auto broken = a.message(2);
    std::string content;
    SECTION("it would go as a whole") {
        content = "Subject: x\r\n\r\nHello\r\n";
        broken.content = support::slow(content, 0, fault);
    }
    SECTION("it goes in pieces") {
        // Three ranges are read for the hash of it.
        const int good = GENERATE(0, 1, 2, 3, 4, 5);
        content = large;
        broken.content = support::slow(content, good, fault);
    }
    SECTION("it is to be called back") {
        content = large;
        broken.content = support::slow(content, 1, fault);
        broken.transfer->sent_before = true;
        broken.call_back = "b.test takes no mail over XMPP";
    }
    const auto outcomes = a.send({a.message(1), broken, a.message(3), a.message(4, large)});
    REQUIRE(outcomes.size() == 4);
    for (const std::size_t other : {0u, 2u, 3u})
        CHECK(is<queue::Delivered>(outcomes[other]));
    if (fault == base::Errc::damaged) {
        REQUIRE(is<queue::Held>(outcomes[1]));
        const auto& held = std::get<queue::Held>(outcomes[1].recipients.at(0).outcome);
        CHECK(held.remote.empty());
        CHECK(held.reply.text == "content 1 can't be read");
    } else {
        REQUIRE(is<queue::Deferred>(outcomes[1]));
        CHECK_FALSE(deferred(outcomes[1]).settled);
        CHECK(deferred(outcomes[1]).reply ==
              mail::Reply{451, {4, 3, 0}, "content 1 can't be read"});
    }
    CHECK(b.disk.messages.size() == 3);

    // On a disk that gives it out again it goes on under the same id, and arrives once.
    broken.transfer->sent_before = outcomes[1].sent;
    broken.content = support::slow(content);
    broken.call_back.reset();
    CHECK(is<queue::Delivered>(a.send({broken}).at(0)));
    REQUIRE(b.disk.messages.size() == 4);
    CHECK(b.disk.messages.back().content == content);
}

TEST_CASE("A link that broke and is there again costs a mail nothing but a moment") {
    Courier a;
    PeerDisk b;
    int requests = 0;
    int broken = 1;
    a.peer = [&](const auto& asked) -> IqReply {
        if (asked.type == "set" && ++requests == broken) return error("remote-server-timeout");
        return b.answer(asked);
    };
    auto message = a.message(1);
    SECTION("a small one") {}
    SECTION("a large one, in the middle") {
        message.content = mail::Content("Subject: x\r\n\r\n" + a.noise(500000) + "\r\n");
        broken = 4;
    }
    CHECK(is<queue::Delivered>(a.send({message}).at(0)));
    CHECK(b.disk.messages.size() == 1);
}

TEST_CASE("A peer's new beginning explains a silence: nobody is asked") {
    Courier a;
    a.peer = [&](const auto&) {
        return NoAnswer{base::fail(base::Errc::closed, "mail.b.test began anew"), true};
    };
    const auto outcomes = a.send({a.message(1), a.message(2)});
    CHECK(a.sizes == std::vector<std::size_t>{2});
    CHECK(deferred(outcomes[1]).reply.status == mail::EnhancedStatus{4, 4, 1});
}

TEST_CASE("B does not get on: A sends all of it once more, and leaves it for later") {
    Courier a;
    PeerDisk b;
    const std::string large = "Subject: x\r\n\r\n" + a.noise(3000000) + "\r\n";
    std::size_t sent = 0;
    std::function<IqReply(const IncomingChunk&)> says;
    a.peer = [&](const auto& asked) -> IqReply {
        const auto payload = read_payload(asked.payload, asked.type);
        if (const auto* open = std::get_if<IncomingOpen>(&payload))
            return Verdicts{{open->transfer.key, Verdict::State::open, {}, {}, 0, 1u << 20}};
        const auto* chunk = std::get_if<IncomingChunk>(&payload);
        if (chunk == nullptr) return error("item-not-found", "unknown-transfer");
        sent += chunk->size;
        return says(*chunk);
    };
    SECTION("the offset is always 0") {
        says = [](const IncomingChunk& chunk) -> IqReply {
            if (chunk.offset < 2000000) return Ack{chunk.key, chunk.offset + chunk.size};
            return bad_offset(0);
        };
    }
    SECTION("nothing is taken") {
        says = [](const IncomingChunk& chunk) { return Ack{chunk.key, 0}; };
    }
    SECTION("everything is taken, and then unknown") {
        says = [](const IncomingChunk& chunk) { return Ack{chunk.key, chunk.offset + chunk.size}; };
    }
    const auto outcome = a.send({a.message(1, large)}).at(0);
    CHECK_FALSE(deferred(outcome).settled);
    // It answers: that is no silence, which a sign of life would end.
    CHECK(deferred(outcome).reply.status == mail::EnhancedStatus{4, 5, 0});
    CHECK(sent <= 2 * large.size());
}

TEST_CASE("A verdict on another message under the same key is none on this one") {
    Courier a;
    PeerDisk b;
    a.peer = [&](const auto& asked) { return b.answer(asked); };
    // B has a message under this key, as A had before its queue was restored, say.
    CHECK(is<queue::Delivered>(a.send_one()));
    auto other = a.message(1, "Subject: another\r\n\r\nHello\r\n");
    other.transfer->sent_before = GENERATE(false, true);
    SECTION("it is sent") {}
    SECTION("it is to go another way") {
        other.call_back = "b.test takes no mail over XMPP";
        other.transfer->sent_before = true;
    }
    SECTION("its time is over") {
        other.transfer->sent_before = true;
        other.transfer->expires = a.clock.now() - 1h;
    }
    SECTION("it is sent together with a good one, whose answer leaves it out") {
        const auto outcomes = a.send({other, a.message(2)});
        CHECK(is<queue::Held>(outcomes.at(0)));
        CHECK(is<queue::Delivered>(outcomes.at(1)));
    }
    SECTION("it is large") {
        other.content = mail::Content("Subject: x\r\n\r\n" + a.noise(500000) + "\r\n");
    }
    const auto outcome = a.send({other}).at(0);
    CHECK(is<queue::Held>(outcome));
    CHECK(b.disk.messages.size() <= 2);
    CHECK(b.disk.find(other.transfer->key).state == queue::KnownTransfer::State::done);
}

TEST_CASE("A transfer that has expired and was never taken is let go of, and goes under a new id") {
    Courier a;
    PeerDisk b;
    a.peer = [&](const auto& asked) { return b.answer(asked); };
    auto message = a.message(1);
    message.transfer->expires = a.clock.now() - 1h;
    message.transfer->sent_before = GENERATE(false, true);
    const auto outcome = a.send({message}).at(0);
    CHECK(deferred(outcome).settled);
    // That was no try of the mail: its last one, if its time is up, is still to come.
    CHECK_FALSE(deferred(outcome).tried);
    CHECK(b.disk.messages.empty());
    CHECK((b.disk.find(message.transfer->key).state == queue::KnownTransfer::State::aborted) ==
          message.transfer->sent_before);
    message.transfer->key.id += "ff";
    message.transfer->sent_before = false;
    message.transfer->expires = a.clock.now() + 1h;
    CHECK(is<queue::Delivered>(a.send({message}).at(0)));
    CHECK(b.disk.messages.size() == 1);
}

TEST_CASE("What was sent with the parameters of RFC 3461 stays as it was, whatever B takes now") {
    Courier a;
    PeerDisk b;
    a.peer = [&](const auto& asked) { return b.answer(asked); };
    auto message = a.message(1);
    message.envelope.envid = "QQ1";
    message.envelope.recipients[0].notify.success = true;
    message.envelope.recipients[0].orcpt = "rfc822;robert@b.test";
    message.transfer->dsn = GENERATE(false, true);
    const auto first = a.send({message}).at(0);
    REQUIRE(is<queue::Delivered>(first));
    const auto handover = std::get<queue::Delivered>(first.recipients[0].outcome).handover;
    CHECK((handover == queue::Handover::passed_on) == message.transfer->dsn);
    message.transfer->sent_before = true;
    CHECK(is<queue::Delivered>(a.send({message}).at(0)));
    message.call_back = "another way";
    CHECK(is<queue::Delivered>(a.send({message}).at(0)));
    CHECK(b.disk.messages.size() == 1);
}
