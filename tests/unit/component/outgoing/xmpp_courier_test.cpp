// XmppCourier against a scripted peer: verdicts, and the error table row by row.
#include "support/component/courier_and_peer.hpp"

using namespace doubles;

TEST_CASE("A sends three messages in one stanza; B takes them") {
    Courier a;
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, ""}); };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    const auto& ready = std::get<queue::Ready>(*a.readiness);
    CHECK(ready.peer == "mail.b.test");
    CHECK(ready.limits.messages == 100);
    // Nothing is known of the peer's patience yet.
    CHECK(ready.limits.bytes > 50000);
    CHECK(ready.limits.bytes < 100000);
    CHECK(a.sizes == std::vector<std::size_t>{3});
    for (const auto& outcome : outcomes) {
        CHECK(is<queue::Delivered>(outcome));
        CHECK(outcome.sent);
    }
}

TEST_CASE("B's verdicts settle each recipient") {
    Courier a;
    mail::Reply reply;
    a.peer = [&](const auto& asked) { return Courier::verdicts(asked, reply); };
    reply = {452, {4, 2, 2}, "full"};
    CHECK(deferred(a.send_one()).settled);
    reply = {550, {5, 1, 1}, "nobody"};
    CHECK(is<queue::Failed>(a.send_one()));
    reply = {552, {5, 3, 4}, "too large"};
    CHECK(is<queue::Rerouted>(a.send_one(true)));
    reply = {550, {5, 7, 1}, "policy"};
    CHECK(is<queue::Rerouted>(a.send_one(true)));
}

TEST_CASE("A transfer without its exact verdict stays as it is") {
    Courier a;
    a.peer = [](const auto& asked) {
        auto all = Courier::verdicts(asked, {250, {2, 1, 5}, ""});
        for (auto& verdict : all) {
            if (verdict.key.id.ends_with('1'))
                verdict.recipients.push_back({9, {250, {2, 1, 5}, ""}});
            if (verdict.key.id.ends_with('2')) verdict.key.id = "019ffffffffffff";
        }
        return all;
    };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    // Alone, each might have got an answer that says more.
    CHECK(a.sizes == std::vector<std::size_t>{3, 1, 1});
    CHECK_FALSE(deferred(outcomes[0]).settled);
    CHECK_FALSE(deferred(outcomes[1]).settled);
    CHECK(is<queue::Delivered>(outcomes[2]));
}

TEST_CASE("The error table, row by row") {
    Courier a;
    IqReply reply = error("internal-server-error");
    a.peer = [&](const auto&) { return reply; };
    SECTION("silence: indeterminate, the same transfer again") {
        for (const auto* condition : {"remote-server-not-found", "remote-server-timeout",
                                      "recipient-unavailable", "internal-server-error"}) {
            reply = error(condition);
            const auto outcome = a.send_one();
            CHECK_FALSE(deferred(outcome).settled);
            CHECK(deferred(outcome).reply.status == mail::EnhancedStatus{4, 4, 1});
            CHECK(outcome.sent);
        }
        // An answer, whatever it means, is no silence: nothing else has to wait for it.
        reply = error("no-such-condition");
        CHECK(deferred(a.send_one()).reply.status == mail::EnhancedStatus{4, 5, 0});
        reply = NoAnswer{base::fail(base::Errc::timeout, "no answer"), true};
        CHECK(a.send_one().sent);
        reply = NoAnswer{base::fail(base::Errc::closed, "no link"), false};
        CHECK_FALSE(a.send_one().sent);
    }
    SECTION("busy: waits as told") {
        reply = StanzaError{"wait", "resource-constraint", "busy", 30s, {}};
        CHECK(deferred(a.send_one()).retry_after == 30s);
    }
    SECTION("too much: slows down") {
        reply = error("policy-violation");
        CHECK(deferred(a.send_one()).reply.status == mail::EnhancedStatus{4, 3, 2});
        const auto before = std::get<queue::Ready>(*a.readiness).limits.bytes;
        a.send_one();
        CHECK(std::get<queue::Ready>(*a.readiness).limits.bytes < before * 6 / 10);
    }
    SECTION("not there: discovers again") {
        reply = error("service-unavailable");
        CHECK_FALSE(deferred(a.send_one()).settled);
        a.list("b.test", {});
        a.infos.erase("mail.b.test");
        a.send_one();
        CHECK(std::holds_alternative<queue::Deferred>(*a.readiness));
    }
    SECTION("not authorised, or malformed: another way, but called back first") {
        // However clearly the peer says no: a second copy of the stanza may still come.
        PeerDisk b;
        bool lets_go = true;
        a.peer = [&](const auto& asked) {
            const bool is_abort = asked.payload.starts_with("<abort");
            return is_abort && lets_go ? b.answer(asked) : reply;
        };
        reply = error("forbidden", "domain-not-authorized");
        CHECK(is<queue::Rerouted>(a.send_one(false)));
        reply = error("bad-request", "malformed");
        const auto outcome = a.send_one(false);
        CHECK(std::get<queue::Failed>(outcome.recipients.at(0).outcome).reply.status ==
              mail::EnhancedStatus{5, 6, 0});
        CHECK(b.disk.find(a.message(1).transfer->key).state ==
              queue::KnownTransfer::State::aborted);
        lets_go = false;
        for (const bool before : {false, true}) {
            CHECK_FALSE(deferred(a.send_one(before)).settled);
            CHECK(a.link.asked.back().payload.starts_with("<abort"));
        }
        reply = error("forbidden");
        CHECK_FALSE(deferred(a.send_one(false)).settled);
        CHECK_FALSE(a.link.asked.back().payload.starts_with("<abort"));
    }
    SECTION("id reuse: held, and not called back") {
        reply = error("conflict", "id-reuse");
        CHECK(is<queue::Held>(a.send_one()));
        CHECK(a.link.asked.back().payload.starts_with("<transfers"));
    }
    SECTION("garbage") {
        reply = Malformed{"nonsense"};
        CHECK_FALSE(deferred(a.send_one()).settled);
    }
}

TEST_CASE("A component that is retired sends only what has to go over it, as that is promised") {
    Courier a;
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, ""}); };
    a.link.settings_.retired = true;
    a.send_one();
    CHECK(std::get<queue::Rerouted>(*a.readiness).why == "mail.a.test is retired");
    a.courier->promised_by([](const queue::Destination& to) { return to.domain == "b.test"; });
    CHECK(is<queue::Delivered>(a.send_one()));
    CHECK(std::get<queue::Ready>(*a.readiness).peer == "mail.b.test");
    a.destination.domain = "c.test";
    a.send_one();
    CHECK(std::get<queue::Rerouted>(*a.readiness).why == "mail.a.test is retired");
}

TEST_CASE("One poisonous member does not hold the others") {
    Courier a;
    PeerDisk b;
    const auto poison = a.message(2).transfer->key.id;
    a.peer = [&](const auto& asked) -> IqReply {
        const bool is_abort = asked.payload.starts_with("<abort");
        if (!is_abort && asked.payload.find(poison) != std::string::npos)
            return error("bad-request", "malformed");
        return b.answer(asked);
    };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    CHECK(a.sizes == std::vector<std::size_t>{3, 1, 1, 1, 0});
    CHECK(is<queue::Delivered>(outcomes[0]));
    CHECK(is<queue::Failed>(outcomes[1]));
    CHECK(is<queue::Delivered>(outcomes[2]));
}

TEST_CASE("A batch that fails as a whole does not wait for itself") {
    Courier a;
    a.peer = [&](const auto&) { return error("policy-violation"); };
    // Together they nearly fill the window, which the failure halves.
    const auto outcomes = a.send({a.message(1, a.noise(40000)), a.message(2, a.noise(40000))});
    CHECK(a.sizes.size() >= 3);
    CHECK_FALSE(deferred(outcomes[1]).settled);
}

TEST_CASE("When the link goes down, members are not sent singly") {
    Courier a;
    a.peer = [&](const auto&) { return error("remote-server-timeout"); };
    const auto outcomes = a.send({a.message(1), a.message(2)});
    // The second is the question whether B is there.
    CHECK(a.sizes == std::vector<std::size_t>{2, 0});
    CHECK(a.link.asked.back().payload.starts_with("<status"));
    CHECK(outcomes[1].sent);
    CHECK(deferred(outcomes[1]).reply.status == mail::EnhancedStatus{4, 4, 1});
}

TEST_CASE("Batches are split until they fit, and what never fits goes in pieces") {
    Courier a;
    PeerDisk b;
    a.peer = [&](const auto& asked) {
        CHECK(asked.payload.size() < 524288 / 10 * 9);
        return b.answer(asked);
    };
    std::string noise;
    for (int i = 0; i < 40000; ++i)
        noise += fmt::format("{:x}", a.random.below(1u << 31));
    noise.resize(100000);
    const std::string large = noise + noise + noise + noise + noise + noise + "\r\n";
    const auto outcomes = a.send(
        {a.message(1, noise), a.message(2, noise), a.message(3, noise), a.message(4, large)});
    for (const auto& outcome : outcomes)
        CHECK(is<queue::Delivered>(outcome));
    REQUIRE(b.disk.messages.size() == 4);
    CHECK(b.disk.messages[3].content == large);
    CHECK(b.asked.at("open") == 1);
    CHECK(b.asked.at("chunk") > 4);
    CHECK(b.asked.at("commit") == 1);
}

TEST_CASE("A goes on where B's disk ends, and looks back when B asks for it") {
    Courier a;
    PeerDisk b;
    const std::string large = "Subject: x\r\n\r\n" + a.noise(500000) + "\r\n";
    auto message = a.message(1, large);
    int chunks = 0;
    bool loses_all = false;
    a.peer = [&](const auto& asked) -> IqReply {
        const bool is_chunk = asked.payload.starts_with("<chunk");
        chunks += is_chunk ? 1 : 0;
        if (loses_all && is_chunk && chunks == 4)
            return error("item-not-found", "unknown-transfer");
        if (!loses_all && is_chunk && chunks > 4) return error("remote-server-timeout");
        return b.answer(asked);
    };
    SECTION("the link breaks: the next attempt sends what is missing") {
        const auto cut = a.send({message}).at(0);
        CHECK_FALSE(deferred(cut).settled);
        CHECK(cut.sent);
        const auto had = b.disk.rows.begin()->second.known.offset;
        REQUIRE(had > 0);
        chunks = 0;
        std::size_t sent = 0;
        a.peer = [&](const auto& asked) {
            const auto payload = read_payload(asked.payload, asked.type);
            if (const auto* chunk = std::get_if<IncomingChunk>(&payload)) sent += chunk->size;
            return b.answer(asked);
        };
        message.transfer->sent_before = true;
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        CHECK(sent == large.size() - had);
    }
    SECTION("B has forgotten it in the middle: it is opened again") {
        loses_all = true;
        b.forgets_at_open = 2;
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        CHECK(b.asked.at("open") == 2);
    }
    REQUIRE(b.disk.messages.size() == 1);
    CHECK(b.disk.messages[0].content == large);
}

TEST_CASE("Only what B has let go of changes its way") {
    Courier a;
    PeerDisk b;
    auto message = a.message(1);
    message.transfer->sent_before = true;
    a.peer = [&](const auto& asked) { return b.answer(asked); };
    SECTION("no XMPP any more: called back, then by SMTP") {
        message.call_back = "b.test takes no mail over XMPP";
        const auto outcome = a.send({message}).at(0);
        CHECK(std::get<queue::Rerouted>(outcome.recipients[0].outcome).why ==
              "b.test takes no mail over XMPP");
        CHECK(b.disk.find(message.transfer->key).state == queue::KnownTransfer::State::aborted);
        message.call_back.reset();
        // Whatever still comes of it is not taken, and it goes out under a new id.
        CHECK(deferred(a.send({message}).at(0)).settled);
        CHECK(b.disk.messages.empty());
    }
    SECTION("too late: it was delivered") {
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        message.call_back = "b.test takes no mail over XMPP";
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        CHECK(b.disk.messages.size() == 1);
    }
    SECTION("its time is over: what became of it?") {
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        a.clock.advance(25h);
        CHECK(is<queue::Delivered>(a.send({message}).at(0)));
        CHECK(b.asked.at("status") == 1);
        auto lost = a.message(2);
        lost.transfer->sent_before = true;
        lost.transfer->expires = a.clock.now() - 1h;
        const auto outcome = a.send({lost}).at(0);
        // Nothing is known of it, so that it is called back, and goes out anew.
        CHECK(deferred(outcome).settled);
        CHECK(b.disk.find(lost.transfer->key).state == queue::KnownTransfer::State::aborted);
        CHECK(b.disk.messages.size() == 1);
    }
}

TEST_CASE("REQUIRETLS goes over XMPP only if our own link to the server crosses no network") {
    Courier a;
    ComponentSettings theirs;
    theirs.jid = "mail.b.test";
    theirs.domains = {domain("b.test")};
    theirs.requiretls = true;
    a.infos[theirs.jid] = disco_info_query(theirs);
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, "ok"}); };
    a.link.settings_.assurance = Assurance::pkix;
    auto message = a.message(1);
    message.envelope.requiretls = true;
    CHECK(is<queue::Rerouted>(a.send({message}).at(0)));
    a.link.settings_.private_link = true;
    CHECK(is<queue::Delivered>(a.send({message}).at(0)));
}

TEST_CASE("A transfer goes to the component that it was made for, whoever serves the domain now") {
    Courier a;
    std::string asked_of;
    a.peer = [&](const auto& asked) {
        asked_of = asked.to;
        return Courier::verdicts(asked, {250, {2, 1, 5}, ""});
    };
    auto old = a.message(1);
    old.transfer->peer = "old.b.test";
    old.transfer->sent_before = true;
    a.send({old});
    CHECK(asked_of == "old.b.test");
}

TEST_CASE("prepare says what to do with a destination") {
    Courier a;
    const auto prepare = [&] {
        return support::run<queue::Readiness>(
            a.io, [&] { return a.courier->prepare(a.destination, queue::Urgency::fresh); });
    };
    SECTION("no XMPP there") {
        a.destination.domain = "smtp.test";
        CHECK(std::holds_alternative<queue::Rerouted>(prepare()));
    }
    SECTION("the component is none of ours any more") {
        a.destination.component = "former.a.test";
        CHECK(std::get<queue::Rerouted>(prepare()).why.starts_with("former.a.test is no"));
        // However long one waits, nothing comes of it: it ends when its time is up.
        const auto later = deferred(a.send_one());
        CHECK(later.reply.text.starts_with("former.a.test is no"));
        CHECK(later.tried);
    }
    SECTION("our link is down") {
        a.link.up = false;
        // Nothing was tried: mail whose time is up is not given up for that.
        CHECK_FALSE(std::get<queue::Deferred>(prepare()).tried);
        const auto outcome = a.send_one();
        CHECK_FALSE(outcome.sent);
        CHECK_FALSE(deferred(outcome).tried);
    }
    SECTION("the peer is down") {
        prepare();
        a.infos["mail.b.test"] = "dead";
        a.clock.advance(25h);
        CHECK(std::get<queue::Deferred>(prepare()).tried);
    }
}

namespace {

/// A, and B as of now, whose server takes stanzas of this size only.
struct NarrowCourier : Courier {
    explicit NarrowCourier(std::size_t max_stanza) {
        narrow(max_stanza);
        peer = [this](const auto& asked) -> IqReply {
            longest = std::max(longest, asked.payload.size());
            return b.answer(asked);
        };
    }
    void narrow(std::size_t max_stanza) {
        ComponentSettings theirs;
        theirs.jid = "mail.b.test";
        theirs.domains = {domain("b.test")};
        theirs.max_stanza = max_stanza;
        infos[theirs.jid] = disco_info_query(theirs);
    }
    /// As each recipient of a list with plus addresses looks behind an SMTP client that knows DSN.
    mail::Recipient recipient(std::uint32_t n) const {
        const std::string name = fmt::format("first.last.{:03}@b.test", n);
        return {n, mailbox("bob+" + name), {}, "rfc822;bob+" + name};
    }
    queue::LeasedMessage list(std::size_t count) {
        auto mail = message(1);
        mail.envelope.recipients.clear();
        for (std::uint32_t n = 0; n < count; ++n)
            mail.envelope.recipients.push_back(recipient(n));
        return mail;
    }
    /// How many of these a lease gives out at once.
    std::size_t leased_at_once() {
        const auto ready = std::get<queue::Ready>(support::run<queue::Readiness>(
            io, [&] { return courier->prepare(destination, queue::Urgency::fresh); }));
        const auto& limit = ready.limits.envelope;
        std::size_t bytes = limit.of_head(message(1).envelope, ready.dsn);
        std::uint32_t n = 0;
        while (n < ready.limits.recipients &&
               (bytes += limit.of_recipient(recipient(n), ready.dsn)) <= limit.bytes)
            ++n;
        return n;
    }
    PeerDisk b;
    std::size_t longest = 0;
};

}  // namespace

TEST_CASE("A large envelope fits if a lease has counted it, however narrow B's server is") {
    const std::size_t max_stanza = GENERATE(10000u, 65536u, 524288u);
    NarrowCourier a(max_stanza);
    const std::size_t most = a.leased_at_once();
    CHECK(most >= std::min<std::size_t>(max_stanza / 140, 1000));
    const auto outcome = a.send({a.list(most)}).at(0);
    CHECK(outcome.recipients.size() == most);
    CHECK(is<queue::Delivered>(outcome));
    CHECK(a.longest <= max_stanza / 10 * 9);
}

TEST_CASE("What was leased for more than B takes by now goes to some of its recipients at a time") {
    NarrowCourier a(65536);
    const std::size_t most = a.leased_at_once();
    auto list = a.list(most);
    a.narrow(10000);
    a.clock.advance(25h);
    list.transfer->expires = list.expires_at = a.clock.now() + 24h;
    SECTION("it never left: under a new id") {
        CHECK(deferred(a.send({list}).at(0)).settled);
        CHECK(a.b.asked.empty());
    }
    SECTION("it may have left: called back first") {
        list.transfer->sent_before = true;
        CHECK(deferred(a.send({list}).at(0)).settled);
        CHECK(a.b.asked == std::map<std::string, int>{{"abort", 1}});
    }
    SECTION("its lines would fit, and its parameters do not") {
        list.envelope.recipients.erase(list.envelope.recipients.begin() + 107,
                                       list.envelope.recipients.end());
        const auto outcome = a.send({list}).at(0);
        CHECK(deferred(outcome).settled);
        CHECK(deferred(outcome).reply.status == mail::EnhancedStatus{4, 5, 3});
        CHECK(a.b.asked.empty());
    }
}

TEST_CASE("A single recipient that never fits one stanza goes by SMTP, and no livelock keeps it") {
    NarrowCourier a(10000);
    auto one = a.message(1);
    const std::string quotes(900, '\'');
    one.envelope.from = mailbox(quotes.substr(0, 200) + "@a.test");
    one.envelope.recipients[0].address = mailbox(quotes.substr(0, 200) + "@b.test");
    one.envelope.recipients[0].orcpt = "rfc822;" + std::string(400, '\'') + "@b.test";
    one.envelope.envid = std::string(90, '\'');
    CHECK(is<queue::Delivered>(a.send({one}).at(0)));  // the longest that there is still fits ...
    a.b = PeerDisk();
    a.link.settings_.max_stanza = 3000;  // ... so that the bound has to be absurd
    const auto outcome = a.send({one}).at(0);
    CHECK(std::get<queue::Rerouted>(outcome.recipients.at(0).outcome).why ==
          "its envelope is too large for one stanza to mail.b.test");
    CHECK_FALSE(outcome.sent);
    CHECK(a.b.asked.empty());
}
