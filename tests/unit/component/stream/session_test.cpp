// Session against a scripted server on a loopback socket.
#include "component/stream/session.hpp"

#include "component/protocol/block_codec.hpp"
#include "component/protocol/mirror_codec.hpp"
#include "component/protocol/transfer_codec.hpp"
#include "component/xml/namespaces.hpp"
#include "support/component/doubles.hpp"
#include "support/virtual_time.hpp"

using namespace doubles;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

const std::string kOpening =
    "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
    "xmlns='jabber:component:accept' from='mail.a.test' id='s1'>";

/// The server's end, and the session, on one loop that runs as far as the test needs it.
struct Network {
    /// `no_time_passes`: no wait ends by itself, however slow the machine is.
    explicit Network(bool no_time_passes = false)
        : acceptor(io, {asio::ip::address_v4::loopback(), 0}), socket(io) {
        if (no_time_passes) time.emplace(io);
        ComponentSettings settings;
        settings.jid = "mail.a.test";
        settings.port = acceptor.local_endpoint().port();
        settings.secret = "secret";
        settings.domains = {domain("a.test")};
        settings.max_stanza = 20000;
        session = std::make_unique<Session>(io.get_executor(), settings, clock, random);
        session->on_presence([this](std::string jid) { present.push_back(std::move(jid)); });
        session->peers_from([] { return std::vector<std::string>{"mail.b.test"}; });
    }
    ~Network() {
        boost::system::error_code ignored;
        acceptor.close(ignored);
        socket.close(ignored);
        bool stopped = false;
        base::spawn(io.get_executor(), "stop", [&]() -> base::Task<void> {
            co_await session->stop();
            stopped = true;
        });
        run_until([&] { return stopped; });
        CHECK(stopped);
    }
    void run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = 10s) {
        const auto end = std::chrono::steady_clock::now() + limit;
        io.restart();
        while (!done() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(50ms);
        }
    }
    void server_accepts() {
        bool accepted = false;
        socket = asio::ip::tcp::socket(io);
        input.clear();
        acceptor.async_accept(socket, [&](boost::system::error_code error) { accepted = !error; });
        run_until([&] { return accepted; });
        REQUIRE(accepted);
    }
    void server_sends(const std::string& text) { asio::write(socket, asio::buffer(text)); }
    /// What has come, up to and including `end`.
    std::string server_receives(const std::string& end) {
        const auto has = [&] { return input.find(end) != std::string::npos; };
        socket.non_blocking(true);
        run_until(
            [&] {
                std::array<char, 4096> bytes{};
                boost::system::error_code error;
                const auto size = socket.read_some(asio::buffer(bytes), error);
                input.append(bytes.data(), size);
                return has();
            },
            5s);
        INFO(input);
        REQUIRE(has());
        const auto at = input.find(end) + end.size();
        std::string part = input.substr(0, at);
        input.erase(0, at);
        return part;
    }
    void establish() {
        session->start();
        server_accepts();
        const auto header = server_receives("to='mail.a.test'>");
        CHECK(header.find("xmlns='jabber:component:accept'") != std::string::npos);
        server_sends(kOpening);
        CHECK(server_receives("</handshake>") ==
              "<handshake>" + handshake_digest("s1", "secret") + "</handshake>");
        server_sends("<handshake/>");
        run_until([&] { return session->established(); });
        REQUIRE(session->established());
        // The first thing after it.
        const std::string presence = "<presence from='mail.a.test' to='mail.b.test'/>";
        CHECK(server_receives(presence) == presence);
    }
    void server_refuses(const std::string& condition) {
        session->start();
        server_accepts();
        server_receives("to='mail.a.test'>");
        server_sends(kOpening);
        server_receives("</handshake>");
        server_sends("<stream:error><" + condition +
                     " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
                     "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given "
                     "text</text></stream:error></stream:stream>");
        run_until([&] { return !session->status().last_error.empty(); });
        CHECK_FALSE(session->established());
    }
    std::shared_ptr<std::optional<IqReply>> ask(const std::string& to,
                                                std::chrono::milliseconds limit = 5s) {
        auto reply = std::make_shared<std::optional<IqReply>>();
        base::spawn(io.get_executor(), "ask", [this, reply, to, limit]() -> base::Task<void> {
            const std::string payload = "<ping xmlns='urn:xmpp:ping'/>";
            auto got = co_await session->request(to, "get", payload, limit);
            reply->emplace(std::move(got));
        });
        return reply;
    }
    static std::string id_of(const std::string& iq) {
        const auto at = iq.find("id='") + 4;
        return iq.substr(at, iq.find('\'', at) - at);
    }

    asio::io_context io;
    std::optional<support::VirtualTime> time;
    asio::ip::tcp::acceptor acceptor;
    asio::ip::tcp::socket socket;
    std::string input;
    support::ManualClock clock;
    support::SeededRandom random;
    std::vector<std::string> present;
    std::unique_ptr<Session> session;
};

}  // namespace

// XEP-0114 3.
TEST_CASE("The digest is that of XEP-0114's example") {
    CHECK(handshake_digest("3BF96D32", "test") == "aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e");
    CHECK(handshake_digest("", "").size() == 40);
}

// RFC 6120 8.2.3, RFC 6120 8.3.1, XEP-0030 3.1, XEP-0030 4.1, XEP-0092 2, XEP-0128 2, XEP-0199 3.
TEST_CASE("Strangers ask; each is answered from the JID that was asked") {
    Network a;
    a.establish();
    a.server_sends(
        "<iq type='get' id='p1' from='x@evil.test/r' to='mail.a.test'><ping "
        "xmlns='urn:xmpp:ping'/></iq>");
    CHECK(a.server_receives("/>") ==
          "<iq type='result' id='p1' from='mail.a.test' to='x@evil.test/r'/>");
    a.server_sends(
        "<iq type='get' id='p2' from='b.test' to='mail.a.test'><query "
        "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    const auto info = a.server_receives("</iq>");
    keep_stanza(info);
    CHECK(info.find("from='mail.a.test' to='b.test'") != std::string::npos);
    const auto capability = read_disco_info(*read_tag(info)).capability;
    REQUIRE(capability);
    CHECK(capability->serves(domain("a.test")));
    CHECK(capability->max_stanza == 20000);
    a.server_sends(
        "<iq type='get' id='p3' from='b.test' to='mail.a.test'><query "
        "xmlns='http://jabber.org/protocol/disco#items'/></iq>");
    CHECK(a.server_receives("</iq>").find("type='result'") != std::string::npos);
    a.server_sends(
        "<iq type='get' id='p4' from='b.test' to='mail.a.test'><query "
        "xmlns='jabber:iq:version'/></iq>");
    CHECK(a.server_receives("</iq>").find("Packetboat") != std::string::npos);
    a.server_sends(
        "<iq type='set' id='p5' from='b.test' to='mail.a.test'><query "
        "xmlns='jabber:iq:roster'/></iq>");
    CHECK(a.server_receives("</iq>").find("service-unavailable") != std::string::npos);
    a.server_sends(
        "<iq type='get' id='p6' from='b.test' to='user@mail.a.test'><ping "
        "xmlns='urn:xmpp:ping'/></iq>");
    CHECK(a.server_receives("</iq>").find("from='user@mail.a.test'") != std::string::npos);
    a.server_sends(
        "<iq type='set' id='p7' from='b.test' to='mail.a.test'><transfers "
        "xmlns='urn:xmpp:mail-transfer:0'/></iq>");
    CHECK(a.server_receives("</iq>").find("service-unavailable") != std::string::npos);
    // No error, result or presence is ever answered.
    a.server_sends(
        "<iq type='error' id='p8' from='b.test' to='mail.a.test'><error type='cancel'/></iq>"
        "<message type='error' from='b.test' to='mail.a.test'/><presence from='mail.c.test' "
        "to='mail.a.test'/>"
        "<iq type='get' id='p9' from='b.test' to='mail.a.test'><ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(a.server_receives("/>").find("id='p9'") != std::string::npos);
    CHECK(a.present == std::vector<std::string>{"mail.c.test"});
}

// RFC 6120 8.2.3.
TEST_CASE("Only who was asked can answer") {
    Network a;
    a.establish();
    const auto reply = a.ask("mail.b.test");
    const auto id = Network::id_of(a.server_receives("</iq>"));
    a.server_sends("<iq type='result' id='" + id + "' from='evil.test' to='mail.a.test'/>");
    a.run_until([&] { return reply->has_value(); }, 200ms);
    CHECK_FALSE(reply->has_value());
    a.server_sends("<iq type='result' id='" + id + "' from='MAIL.b.test' to='mail.a.test'/>");
    a.run_until([&] { return reply->has_value(); });
    CHECK(std::holds_alternative<TagResult>(reply->value()));
}

TEST_CASE("What the peer sees of us comes to who asked, and a question does not") {
    Network a;
    a.establish();
    const Mirrored seen{Assurance::pkix, 1000, 20000, base::TimePoint(1ms), 5ms, {}};
    const std::vector<mail::Domain> asked{*mail::Domain::parse("a.test")};
    for (const auto& payload : {encode_mirrored(seen), encode_mirror(asked)}) {
        const auto reply = a.ask("mail.b.test", 1min);
        const auto id = Network::id_of(a.server_receives("</iq>"));
        a.server_sends("<iq type='result' id='" + id + "' from='mail.b.test' to='mail.a.test'>" +
                       payload + "</iq>");
        a.run_until([&] { return reply->has_value(); });
        REQUIRE(reply->has_value());
        if (payload == encode_mirrored(seen))
            CHECK(std::get<Mirrored>(reply->value()) == seen);
        else
            CHECK(std::holds_alternative<Malformed>(reply->value()));
    }
}

TEST_CASE("A stranger's monstrous stanza costs nobody the link") {
    Network a;
    a.establish();
    std::string deep;
    for (int i = 0; i < 100; ++i)
        deep += "<a>";
    std::string end;
    for (int i = 0; i < 100; ++i)
        end += "</a>";
    a.server_sends("<message from='eve@c.test' to='mail.a.test'>" + deep + end + "</message>");
    a.server_sends("<iq type='get' id='7' from='eve@c.test' to='mail.a.test'>" + deep + end +
                   "</iq>");
    const auto answer = a.server_receives("</iq>");
    CHECK(answer.find("id='7'") != std::string::npos);
    CHECK(answer.find("<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
                      "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'") != std::string::npos);
    CHECK(a.session->established());
}

TEST_CASE("An answer beyond our bounds is one, and malformed") {
    Network a;
    a.establish();
    for (const std::string type : {"result", "error"}) {
        const auto reply = a.ask("mail.b.test", 1min);
        const auto id = Network::id_of(a.server_receives("</iq>"));
        std::string deep;
        for (int i = 0; i < 100; ++i)
            deep = "<error>" + deep + "</error>";
        a.server_sends("<iq type='" + type + "' id='" + id +
                       "' from='mail.b.test' to='mail.a.test'>" + deep + "</iq>");
        a.run_until([&] { return reply->has_value(); });
        REQUIRE(reply->has_value());
        CHECK(std::holds_alternative<Malformed>(reply->value()));
    }
    CHECK(a.session->established());
}

TEST_CASE("Answers to a flood of questions leave room for our own mail, and for who else asks") {
    Network a(true);
    a.session->known_by([](const std::string& jid) { return jid == "mail.b.test"; });
    a.establish();
    std::string questions;
    for (int i = 0; i < 100; ++i)
        questions += fmt::format(
            "<iq type='get' id='f' from='eve@x{}.evil.test' to='mail.a.test'><query "
            "xmlns='http://jabber.org/protocol/disco#info'/></iq>",
            i);
    // Over 30 MB of answers, which the server is slow to read.
    for (int i = 0; i < 250; ++i) {
        a.server_sends(questions);
        a.io.restart();
        a.io.poll();
    }
    a.server_sends(
        "<iq type='get' id='h1' from='mail.honest.test' to='mail.a.test'><query "
        "xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    a.io.restart();
    a.io.poll();
    const auto reply = a.ask("mail.b.test", 30s);
    bool others_are_answered = false;
    std::size_t received = 0;
    std::string last;
    std::array<char, 65536> bytes{};
    a.socket.non_blocking(true);
    a.run_until(
        [&] {
            boost::system::error_code error;
            const auto size = a.socket.read_some(asio::buffer(bytes), error);
            received += size;
            last.append(bytes.data(), size);
            const bool found = last.find("urn:xmpp:ping'/></iq>") != std::string::npos;
            others_are_answered = others_are_answered || last.find("id='h1'") != std::string::npos;
            last.erase(0, last.size() - std::min<std::size_t>(last.size(), 100));
            return found || reply->has_value();
        },
        20s);
    CHECK_FALSE(reply->has_value());
    CHECK(others_are_answered);
    CHECK(received < 15'000'000);  // what the two sockets hold, and no more than 1 MiB of ours
    a.server_sends(
        "<iq type='get' id='p1' from='b.test' to='mail.a.test'><ping "
        "xmlns='urn:xmpp:ping'/></iq>");
    a.server_receives("<iq type='result' id='p1' from='mail.a.test' to='b.test'/>");
}

TEST_CASE("A peer that was silent and says anything again is present") {
    Network a;
    a.establish();
    const auto reply = a.ask("mail.b.test", 100ms);
    a.run_until([&] { return reply->has_value(); });
    CHECK(std::get<NoAnswer>(reply->value()).written);
    a.server_sends("<message from='mail.b.test' to='mail.a.test' type='headline'/>");
    a.run_until([&] { return !a.present.empty(); });
    CHECK(a.present == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("Any number of dead peers leaves room to notice the next one's return") {
    Network a;
    a.establish();
    constexpr int kDead = 1100;
    int answered = 0;
    for (int i = 0; i < kDead; i += 100) {
        std::vector<std::shared_ptr<std::optional<IqReply>>> replies;
        for (int j = i; j < i + 100; ++j)
            replies.push_back(a.ask(fmt::format("mail.dead{}.test", j), 1ms));
        a.run_until([&] {
            return std::ranges::all_of(replies,
                                       [](const auto& reply) { return reply->has_value(); });
        });
        a.server_receives(fmt::format("to='mail.dead{}.test'", i + 99));
        answered += static_cast<int>(replies.size());
    }
    REQUIRE(answered == kDead);
    const auto reply = a.ask("mail.b.test", 1ms);
    a.run_until([&] { return reply->has_value(); });
    a.server_sends("<message from='mail.b.test' to='mail.a.test' type='headline'/>");
    a.run_until([&] { return !a.present.empty(); });
    CHECK(a.present == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("A peer that began anew has forgotten what it was asked; only so often") {
    Network a;
    a.establish();
    const auto to_b = a.ask("mail.b.test");
    const auto to_c = a.ask("mail.c.test");
    a.server_receives("</iq>");
    a.server_receives("</iq>");
    a.server_sends(
        "<presence from='bob@mail.b.test' to='mail.a.test'/>"
        "<presence type='unavailable' from='mail.b.test' to='mail.a.test'/>");
    a.run_until([&] { return to_b->has_value(); }, 200ms);
    CHECK_FALSE(to_b->has_value());
    a.server_sends("<presence from='mail.b.test' to='mail.a.test'/>");
    a.run_until([&] { return to_b->has_value(); });
    CHECK(std::get<NoAnswer>(to_b->value()).written);
    CHECK_FALSE(to_c->has_value());
    CHECK(a.present == std::vector<std::string>{"mail.b.test"});

    for (int i = 0; i < 40; ++i)
        a.server_sends("<presence from='mail.b.test' to='mail.a.test'/>");
    a.server_sends("<presence from='mail.c.test' to='mail.a.test'/>");
    a.run_until([&] { return to_c->has_value(); });
    CHECK(a.present.size() == 21);
    CHECK(a.present.back() == "mail.c.test");
}

TEST_CASE("Presences of strangers, of whatever number, cost a peer's nothing") {
    Network a;
    a.session->known_by([](const std::string& jid) { return jid == "mail.b.test"; });
    a.establish();
    for (int i = 0; i < 3000; ++i) {
        a.server_sends(fmt::format("<presence from='mail.evil{}.test' to='mail.a.test'/>", i));
        a.io.restart();
        a.io.poll();
    }
    a.server_sends("<presence from='mail.b.test' to='mail.a.test'/>");
    a.run_until([&] { return !a.present.empty(); });
    CHECK(a.present == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("All names of one organisation have one share of presences") {
    Network a;
    a.establish();
    for (int i = 0; i < 40; ++i)
        a.server_sends(fmt::format("<presence from='x{}.evil.test' to='mail.a.test'/>", i));
    a.server_sends("<presence from='mail.b.test' to='mail.a.test'/>");
    a.run_until([&] { return !a.present.empty() && a.present.back() == "mail.b.test"; });
    CHECK(a.present.size() == 21);
}

TEST_CASE("A stanza over the limit is refused here, and never sent") {
    Network a;
    a.establish();
    const auto sent = a.session->send("<iq>" + std::string(20000, 'x') + "</iq>");
    REQUIRE_FALSE(sent);
    CHECK(sent.error().code == base::Errc::limit);
    const auto reply = a.ask("not a jid");
    a.run_until([&] { return reply->has_value(); });
    CHECK_FALSE(std::get<NoAnswer>(reply->value()).written);
}

// RFC 6120 4.9.1.1, RFC 6120 4.9.2, XEP-0114 3.
TEST_CASE("The server's refusals are told in words") {
    Network a;
    SECTION("secret") {
        a.server_refuses("not-authorized");
        CHECK(a.session->status().last_error.find(
                  "not-authorized: the secret does not match (Given text)") != std::string::npos);
    }
    SECTION("host") {
        a.server_refuses("host-unknown");
        CHECK(a.session->status().last_error.find(
                  "host-unknown: the server has no component mail.a.test") != std::string::npos);
    }
    SECTION("conflict") {
        a.server_refuses("conflict");
        CHECK(a.session->status().last_error.find("conflict: another connection") !=
              std::string::npos);
    }
    SECTION("nobody there") {
        a.acceptor.close();
        a.session->start();
        a.run_until([&] { return !a.session->status().last_error.empty(); });
        CHECK(a.session->status().last_error.find("Connection refused") != std::string::npos);
    }
}

TEST_CASE("The stream breaks: requests fail at once, and the session comes back") {
    Network a;
    a.establish();
    const auto reply = a.ask("mail.b.test");
    a.server_receives("</iq>");
    a.server_sends(
        "<stream:error><system-shutdown "
        "xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>");
    a.run_until([&] { return reply->has_value(); });
    const auto& none = std::get<NoAnswer>(reply->value());
    CHECK(none.written);
    CHECK(none.error.text.find("system-shutdown") != std::string::npos);
    a.establish();
    const auto unwritten = a.ask("mail.b.test");
    a.run_until([&] { return unwritten->has_value(); }, 100ms);
    CHECK_FALSE(unwritten->has_value());
}

// RFC 6120 4.4, RFC 6121 4.6.
TEST_CASE("A clean stop says goodbye") {
    Network a;
    a.establish();
    bool stopped = false;
    base::spawn(a.io.get_executor(), "stop", [&]() -> base::Task<void> {
        co_await a.session->stop();
        stopped = true;
    });
    CHECK(a.server_receives("</stream:stream>") ==
          "<presence type='unavailable' from='mail.a.test' to='mail.b.test'/></stream:stream>");
    a.run_until([&] { return stopped; });
    CHECK(stopped);
    CHECK_FALSE(a.session->established());
}

TEST_CASE_METHOD(Network, "a peer is one, in whatever spelling it is asked and answers") {
    establish();
    std::optional<IqReply> reply;
    base::spawn(io.get_executor(), "ask", [&]() -> base::Task<void> {
        std::string to = "mail.xn--bcher-kva.test";
        std::string type = "get";
        std::string payload = "<ping xmlns='urn:xmpp:ping'/>";
        reply = co_await session->request(std::move(to), std::move(type), std::move(payload), 10s);
    });
    const std::string asked = server_receives("</iq>");
    CHECK(asked.find("to='mail.b\xC3\xBC"
                     "cher.test'") != std::string::npos);
    const auto id = asked.find("id='") + 4;
    const std::string answer = asked.substr(id, asked.find('\'', id) - id);
    const std::string from = GENERATE(
        "mail.b\xC3\xBC"
        "cher.test",
        "mail.xn--bcher-kva.test");
    server_sends("<iq type='result' from='" + from + "' to='mail.a.test' id='" + answer + "'/>");
    run_until([&] { return reply.has_value(); });
    REQUIRE(reply);
    CHECK(std::holds_alternative<TagResult>(*reply));
}

TEST_CASE(
    "a component with an internationalised name is that in U-labels, however it was configured") {
    boost::asio::io_context io;
    base::SystemClock clock;
    support::SeededRandom random;
    for (const std::string jid : {"post.xn--bcher-kva.test",
                                  "post.B\xC3\x9C"
                                  "cher.test"}) {
        ComponentSettings settings;
        settings.jid = jid;
        const Session session(io.get_executor(), settings, clock, random);
        CHECK(session.settings().jid ==
              "post.b\xC3\xBC"
              "cher.test");
    }
}

TEST_CASE("A component that is retired begins nothing new, and ends what was begun") {
    struct Handler final : TransferHandler {
        void on_transfers(IqHead head, TransferPayload) override { ids.push_back(head.id); }
        std::vector<std::string> ids;
    };
    Network a;
    a.establish();
    Handler handler;
    a.session->set_transfer_handler(&handler);
    const queue::TransferKey key{domain("b.test"), "018f00000001"};
    mail::Envelope envelope;
    envelope.from = *mail::Mailbox::parse("bob@b.test");
    envelope.recipients.push_back({0, *mail::Mailbox::parse("alice@a.test"), {}, {}});
    const OutgoingMessage message{key, envelope, mail::Content("Subject: x\r\n\r\nHi.\r\n"),
                                  base::TimePoint(1796083200s)};
    BlockCodec codec;
    const std::vector<std::pair<std::string, std::string>> asked{
        {"batch", *encode_transfers(std::vector{message}, {}, codec)},
        {"open", *encode_open(message, mail::sha256("x"))},
        {"commit", encode_commit(key)}};
    const auto send_all = [&] {
        handler.ids.clear();
        for (const auto& [id, payload] : asked)
            a.server_sends("<iq type='set' id='" + id + "' from='mail.b.test' to='mail.a.test'>" +
                           payload + "</iq>");
        a.run_until([&] { return !handler.ids.empty() && handler.ids.back() == "commit"; });
    };
    send_all();
    CHECK(handler.ids == std::vector<std::string>{"batch", "open", "commit"});
    a.session->retire(true);
    send_all();
    CHECK(handler.ids == std::vector<std::string>{"commit"});
    const std::string answers = a.server_receives("id='open'") + a.server_receives("</iq>");
    CHECK(answers.find("id='batch'") != std::string::npos);
    CHECK(answers.find("<service-unavailable ") != std::string::npos);
    a.session->set_transfer_handler(nullptr);
}

TEST_CASE("So many requests wait for an answer, and one more is not sent") {
    Network a;
    a.establish();
    std::vector<std::shared_ptr<std::optional<IqReply>>> replies;
    for (std::size_t i = 0; i <= base::limits::kPendingIqs; ++i)
        replies.push_back(a.ask("mail.b.test", 1min));
    a.run_until([&] { return replies.back()->has_value(); });
    REQUIRE(replies.back()->has_value());
    const auto* const none = std::get_if<NoAnswer>(&**replies.back());
    REQUIRE(none != nullptr);
    CHECK(none->error.code == base::Errc::busy);
    CHECK_FALSE(none->written);
    CHECK_FALSE(replies.front()->has_value());
}

TEST_CASE("The form has the promise, only for components, and who has got it is told of") {
    using Told = std::vector<std::pair<std::string, bool>>;
    Network a;
    bool promises = true;
    Told told;
    a.session->promises_by(
        [&]() -> std::optional<Promise> {
            if (!promises) return std::nullopt;
            return Promise{{domain("a.test")}, base::TimePoint(1796083200s)};
        },
        [&](const std::string& peer, bool promised) { told.emplace_back(peer, promised); });
    a.establish();
    const auto ask = [&](const std::string& from, const std::string& to = "mail.a.test",
                         const std::string& id = "q") {
        a.server_sends("<iq type='get' id='" + id + "' from='" + from + "' to='" + to +
                       "'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    };
    const auto form_for = [&](const std::string& from) {
        ask(from);
        return a.server_receives("</iq>");
    };
    const std::string form = form_for("mail.b.test");
    CHECK(form.find("<field var='promise' type='list-multi'><value>a.test</value></field>") !=
          std::string::npos);
    CHECK(form.find("<field var='promise-until' type='text-single'>"
                    "<value>2026-12-01T00:00:00Z</value></field>") != std::string::npos);
    CHECK(form_for("mallory@b.test/x").find("promise") == std::string::npos);
    promises = false;
    CHECK(form_for("mail.c.test").find("promise") == std::string::npos);
    promises = true;
    a.session->retire(true);
    CHECK(form_for("mail.b.test").find("promise") == std::string::npos);
    const Told all{{"mail.b.test", true}, {"mail.c.test", false}, {"mail.b.test", false}};
    CHECK(told == all);

    // These ask for no form of the component's, or get no answer.
    told.clear();
    ask("mail.b.test", "x@mail.a.test");
    ask("mail.b.test", "mail.a.test/x");
    ask("mail.b.test", "mail.a.test", "");
    a.server_sends(
        "<iq type='get' id='p' from='mail.b.test' to='mail.a.test'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>");
    a.server_receives("id='p'");
    CHECK(told.empty());
}

TEST_CASE("Who gets no answer, as it can't be sent, has not read the form") {
    Network a;
    std::size_t promised = 1000;
    std::vector<bool> told;
    a.session->promises_by(
        [&]() -> std::optional<Promise> {
            Promise promise{{}, base::TimePoint(1796083200s)};
            for (std::size_t i = 0; i < promised; ++i)
                promise.domains.push_back(domain(fmt::format("a{}.test", i)));
            return promise;
        },
        [&](const std::string&, bool promises) { told.push_back(promises); });
    a.establish();
    const auto ask = [&](const std::string& id) {
        a.server_sends("<iq type='get' id='" + id +
                       "' from='mail.b.test' to='mail.a.test'>"
                       "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
    };
    ask("large");  // more than max_stanza
    a.server_sends(
        "<iq type='get' id='p' from='mail.b.test' to='mail.a.test'>"
        "<ping xmlns='urn:xmpp:ping'/></iq>");
    CHECK(a.server_receives("id='p'").find("id='large'") == std::string::npos);
    CHECK(told.empty());
    promised = 1;
    ask("small");
    a.server_receives("id='small'");
    CHECK(told == std::vector<bool>{true});
}
