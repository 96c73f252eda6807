// XmppCourier against a scripted peer: verdicts, and the error table row by row.
#include "component/xmpp_courier.hpp"

#include "component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

struct Courier : World {
    Courier() {
        usual_peer();
        courier = std::make_unique<XmppCourier>(
            std::map<std::string, Link*>{{"mail.a.test", &link}}, *discovery, clock);
        deliver = [this](const ScriptedLink::Asked& asked) {
            sizes.push_back(transfers_in(asked.payload));
            return peer(asked);
        };
    }
    static std::size_t transfers_in(const std::string& payload) {
        std::size_t count = 0;
        for (auto at = payload.find("<transfer "); at != std::string::npos;
             at = payload.find("<transfer ", at + 1))
            ++count;
        return count;
    }
    /// The peer reads the request and says `reply` to every recipient.
    static Verdicts verdicts(const ScriptedLink::Asked& asked, const mail::Reply& reply) {
        auto read = read_payload(asked.payload);
        Verdicts all;
        for (const auto& transfer : std::get<IncomingBatch>(read).transfers) {
            Verdict verdict{transfer.key, "4XB0", {}};
            for (const auto& recipient : transfer.envelope.recipients)
                verdict.recipients.push_back({recipient.n, reply});
            all.push_back(std::move(verdict));
        }
        return all;
    }
    queue::LeasedMessage message(int number, std::string content = "Subject: x\r\n\r\nHello\r\n") {
        queue::OutgoingTransfer transfer{
            {domain("a.test"), fmt::format("019face33801a4c123b1612dd27{:05}", number)},
            "mail.b.test",
            false,
            clock.now() + 24h};
        return {{number},
                envelope("alice@a.test", {"bob@b.test"}),
                mail::Content(std::move(content)),
                {},
                clock.now(),
                clock.now() + 24h,
                transfer};
    }
    std::vector<queue::MessageOutcome> send(std::vector<queue::LeasedMessage> messages) {
        return support::run<std::vector<queue::MessageOutcome>>(
            io, [&]() -> base::Task<std::vector<queue::MessageOutcome>> {
                const auto ready = co_await courier->prepare(destination);
                readiness = ready;
                co_return co_await courier->deliver(destination, messages);
            });
    }
    queue::MessageOutcome send_one(bool sent_before = false) {
        auto one = message(1);
        one.transfer->sent_before = sent_before;
        return send({one}).at(0);
    }
    queue::Destination destination{queue::Lane::xmpp, "mail.a.test", "b.test"};
    std::unique_ptr<XmppCourier> courier;
    std::function<IqReply(const ScriptedLink::Asked&)> peer;
    std::vector<std::size_t> sizes;
    std::optional<queue::Readiness> readiness;
};

const queue::Deferred& deferred(const queue::MessageOutcome& outcome) {
    return std::get<queue::Deferred>(outcome.recipients.at(0).outcome);
}
template <class T>
bool is(const queue::MessageOutcome& outcome) {
    return std::holds_alternative<T>(outcome.recipients.at(0).outcome);
}
StanzaError error(std::string condition, std::string ours = {}) {
    return {"cancel", std::move(condition), std::move(ours), {}, {}};
}

}  // namespace

TEST_CASE("A sends three messages in one stanza; B takes them") {
    Courier a;
    a.peer = [](const auto& asked) { return Courier::verdicts(asked, {250, {2, 1, 5}, ""}); };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    const auto& ready = std::get<queue::Ready>(*a.readiness);
    CHECK(ready.peer == "mail.b.test");
    CHECK(ready.limits.messages == 100);
    CHECK(ready.limits.bytes > 300000);
    CHECK(ready.limits.bytes < 400000);
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
        all.at(0).recipients.push_back({9, {250, {2, 1, 5}, ""}});
        all.at(1).key.id = "019ffffffffffff";
        return all;
    };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    CHECK_FALSE(deferred(outcomes[0]).settled);
    CHECK_FALSE(deferred(outcomes[1]).settled);
    CHECK(is<queue::Delivered>(outcomes[2]));
}

TEST_CASE("The error table, row by row") {
    Courier a;
    IqReply reply = error("internal-server-error");
    a.peer = [&](const auto&) { return reply; };
    SECTION("silence: indeterminate, the same transfer again") {
        for (const auto* condition :
             {"remote-server-not-found", "remote-server-timeout", "recipient-unavailable",
              "internal-server-error", "no-such-condition"}) {
            reply = error(condition);
            const auto outcome = a.send_one();
            CHECK_FALSE(deferred(outcome).settled);
            CHECK(deferred(outcome).reply.status == mail::EnhancedStatus{4, 4, 1});
            CHECK(outcome.sent);
        }
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
        CHECK(std::get<queue::Ready>(*a.readiness).limits.bytes == before / 2);
    }
    SECTION("not there: discovers again") {
        reply = error("service-unavailable");
        CHECK_FALSE(deferred(a.send_one()).settled);
        a.list("b.test", {});
        a.infos.erase("mail.b.test");
        a.send_one();
        CHECK(std::holds_alternative<queue::Deferred>(*a.readiness));
    }
    SECTION("not authorised: SMTP, but only under the fence") {
        reply = error("forbidden", "domain-not-authorized");
        CHECK(is<queue::Rerouted>(a.send_one(false)));
        CHECK_FALSE(deferred(a.send_one(true)).settled);
        reply = error("forbidden");
        CHECK_FALSE(deferred(a.send_one(false)).settled);
    }
    SECTION("malformed: 5.6.0, but only under the fence") {
        reply = error("bad-request", "malformed");
        const auto outcome = a.send_one(false);
        CHECK(std::get<queue::Failed>(outcome.recipients.at(0).outcome).reply.status ==
              mail::EnhancedStatus{5, 6, 0});
        CHECK_FALSE(deferred(a.send_one(true)).settled);
    }
    SECTION("id reuse: held") {
        reply = error("conflict", "id-reuse");
        CHECK(deferred(a.send_one()).retry_after == 1h);
    }
    SECTION("garbage") {
        reply = Malformed{"nonsense"};
        CHECK_FALSE(deferred(a.send_one()).settled);
    }
}

TEST_CASE("One poisonous member does not hold the others") {
    Courier a;
    const auto poison = a.message(2).transfer->key.id;
    a.peer = [&](const auto& asked) -> IqReply {
        if (asked.payload.find(poison) != std::string::npos)
            return error("bad-request", "malformed");
        return Courier::verdicts(asked, {250, {2, 1, 5}, ""});
    };
    const auto outcomes = a.send({a.message(1), a.message(2), a.message(3)});
    CHECK(a.sizes == std::vector<std::size_t>{3, 1, 1, 1});
    CHECK(is<queue::Delivered>(outcomes[0]));
    CHECK(is<queue::Failed>(outcomes[1]));
    CHECK(is<queue::Delivered>(outcomes[2]));
}

TEST_CASE("When the link goes down, members are not sent singly") {
    Courier a;
    a.peer = [&](const auto&) { return error("remote-server-timeout"); };
    const auto outcomes = a.send({a.message(1), a.message(2)});
    CHECK(a.sizes == std::vector<std::size_t>{2});
    CHECK(outcomes[1].sent);
}

TEST_CASE("Batches are split until they fit, and what never fits goes by SMTP") {
    Courier a;
    a.peer = [](const auto& asked) {
        CHECK(asked.payload.size() < 524288 / 10 * 9);
        return Courier::verdicts(asked, {250, {2, 1, 5}, ""});
    };
    std::string noise;
    for (int i = 0; i < 40000; ++i)
        noise += fmt::format("{:x}", a.random.below(1u << 31));
    noise.resize(260000);
    auto large = a.message(4, noise + noise + noise + noise);
    const auto outcomes =
        a.send({a.message(1, noise), a.message(2, noise), a.message(3, noise), large});
    CHECK(is<queue::Delivered>(outcomes[0]));
    CHECK(is<queue::Delivered>(outcomes[2]));
    CHECK(is<queue::Rerouted>(outcomes[3]));
    CHECK_FALSE(outcomes[3].sent);
    large.transfer->sent_before = true;
    CHECK(is<queue::Deferred>(a.send({large}).at(0)));
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
        return support::run<queue::Readiness>(a.io,
                                              [&] { return a.courier->prepare(a.destination); });
    };
    SECTION("no XMPP there") {
        a.destination.domain = "smtp.test";
        CHECK(std::holds_alternative<queue::Rerouted>(prepare()));
    }
    SECTION("our link is down") {
        a.link.up = false;
        CHECK(std::holds_alternative<queue::Deferred>(prepare()));
        CHECK_FALSE(a.send_one().sent);
    }
    SECTION("the peer is down") {
        prepare();
        a.infos["mail.b.test"] = "dead";
        a.clock.advance(25h);
        CHECK(std::holds_alternative<queue::Deferred>(prepare()));
    }
}
