// Transaction: what becomes of envelope and content, by lane, without a socket.
#include "smtp-bridge/server/transaction.hpp"

#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using fixture::domain;
using queue::Lane;

namespace {

/// A session of mx.a.test, which serves a.test; b.test requires XMPP if `required`.
struct Session {
    explicit Session(bool required = false, std::set<mail::Domain> own_hops = {})
        : router({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, std::move(own_hops),
                 queue::LanePolicy({}, {{domain("b.test"), {required, {}}}})) {
        settings.protocol = Protocol::lmtp;
        settings.hostname = "mx.a.test";
        transaction.hello({Hello::Verb::lhlo, "client"});
    }
    /// `250 2.1.0`
    std::string says(std::string_view line) {
        const auto parsed = parse_command(line);
        mail::Reply reply;
        if (const auto* refusal = std::get_if<mail::Reply>(&parsed)) {
            reply = *refusal;
        } else if (const auto* from = std::get_if<MailFrom>(&std::get<Command>(parsed))) {
            reply = transaction.mail(*from);
        } else if (const auto* to = std::get_if<RcptTo>(&std::get<Command>(parsed))) {
            reply = transaction.rcpt(*to);
        } else if (const auto* forward = std::get_if<Forward>(&std::get<Command>(parsed))) {
            reply = transaction.forward(forward->client);
        }
        return std::to_string(reply.code) + " " + reply.status.to_text();
    }
    queue::Arrival sends(std::string content) {
        DataReader reader(1000);
        reader.feed(content + ".\r\n");
        REQUIRE(reader.done());
        CHECK(reader.fault() == DataReader::Fault::none);
        const mail::Content message(reader.take());
        CHECK_FALSE(transaction.refuse(mail::summarize_header(message.bytes()), message.bytes()));
        return transaction.arrival(message, mail::summarize_header(message.bytes()), reader,
                                   "127.0.0.1");
    }

    queue::Router router;
    ListenerSettings settings;
    Transaction transaction{settings, router};
};

/// Where mail from `from` to `to` goes, or the refusal: and it goes as it was written.
std::string lane(std::string_view from, std::string_view to, bool required = false) {
    Session session(required);
    const std::string smtputf8 =
        base::is_ascii(std::string(from) + std::string(to)) ? "" : " SMTPUTF8";
    CHECK(session.says("MAIL FROM:<" + std::string(from) + ">" + smtputf8) == "250 2.1.0");
    const std::string answer = session.says("RCPT TO:<" + std::string(to) + ">");
    if (answer != "250 2.1.5") return answer;
    const auto arrival = session.sends("Subject: x\r\n\r\nhi\r\n");
    CHECK(mail::to_text(arrival.envelope.from) == from);
    CHECK(arrival.envelope.recipients.at(0).address.text() == to);
    CHECK_FALSE(arrival.unfit);
    return queue::to_text(arrival.destinations.at(0).lane);
}

const std::string kLong(300, 'a');

}  // namespace

TEST_CASE("each class of address that Postfix passes on has its lane") {
    const std::string sender = "alice@a.test";
    const std::string recipient = "bob@b.test";
    CHECK(lane(sender, recipient) == "xmpp");
    CHECK(lane(sender, recipient, true) == "xmpp");
    for (const std::string& odd :
         {std::string("x@web_01.a.test"), std::string("x@a.test."), kLong + "@a.test",
          std::string("\"\x01\t\"@a.test"), std::string("a..b@a.test"), std::string(".a@a.test"),
          std::string("x\xC2\x85@a.test"), std::string("\"\xE2\x80\xA8\"@a.test")}) {
        CAPTURE(odd);
        CHECK(lane(odd, recipient) == "relay");
        CHECK(lane(odd, recipient, true) == "550 5.7.0");
        // What is ours needs no XMPP, whatever the sender is.
        CHECK(lane(odd, sender) == "local");
    }
    for (const std::string& foreign :
         {std::string("x@host.123"), std::string("x@[127.000.000.009]"), std::string("x@-c-.test"),
          std::string("x@b\xC3\xBC_cher.test")}) {
        CAPTURE(foreign);
        CHECK(lane(foreign, recipient) == "relay");
        CHECK(lane(foreign, recipient, true) == "550 5.7.0");
        CHECK(lane(sender, foreign) == "relay");
    }
    for (const std::string& odd :
         {std::string("x@b.test."), kLong + "@b.test", std::string("\"\x01\"@b.test"),
          std::string("a..b@b.test"), std::string("x\xC2\x85@b.test")}) {
        CAPTURE(odd);
        CHECK(lane(sender, odd) == "relay");
        CHECK(lane(sender, odd, true) == "550 5.7.0");
    }
    CHECK(lane(sender, "x@a.test.") == "local");
    CHECK(lane(sender, kLong + "@a.test") == "local");
}

// RFC 6531 3.4, RFC 6531 3.5.
TEST_CASE("a sender or recipient beyond ASCII needs SMTPUTF8, whichever lane it would have") {
    Session session;
    CHECK(session.says("MAIL FROM:<j\xC3\xB6rg@c.test>") == "553 5.6.7");
    CHECK(session.says("MAIL FROM:<\xC2\x85@c_.test>") == "553 5.6.7");
    CHECK(session.says("MAIL FROM:<a@a.test>") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<j\xC3\xB6rg@b.test>") == "553 5.6.7");
    CHECK(session.says("RCPT TO:<b@b\xC3\xBC_.test>") == "553 5.6.7");
}

TEST_CASE("content that XMPP can't carry is taken, and says so") {
    using namespace std::string_literals;
    const struct {
        std::string content;
        bool fits;
    } table[] = {
        {"Subject: x\r\n\r\na\x01\x1B\xFF\r\n", true},
        {"Subject: \xE4\r\n\r\nhi\r\n", true},
        {"Subject: " + std::string(2000, 'x') + "\r\n\r\n" + std::string(3000, 'y') + "\r\n", true},
        {"\r\nonly a body\r\n", true},
        {"", true},
        {"Subject: x\r\n\r\na\0b\r\n"s, false},
        {"Sub\0ject: x\r\n\r\nhi\r\n"s, false},
        {"Subject: \0\r\n\r\nhi\r\n"s, false},
        {"no header\r\n", false},
        {"From a@c.test Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nhi\r\n", false},
        {">From a@c.test Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n\r\nhi\r\n", false},
        {"Subject: x\r\nno field\r\nX: y\r\n\r\nhi\r\n", false},
        {" folded first\r\nSubject: x\r\n\r\nhi\r\n", false},
        {": no name\r\n\r\nhi\r\n", false},
        {"S\xC3\xBC: x\r\n\r\nhi\r\n", false},
    };
    for (const auto& row : table) {
        CAPTURE(row.content);
        Session session;
        session.settings.max_size = 10'000;
        session.says("MAIL FROM:<alice@a.test>");
        session.says("RCPT TO:<bob@b.test>");
        DataReader reader(10'000);
        reader.feed(row.content + ".\r\n");
        const mail::Content message(reader.take());
        CHECK_FALSE(
            session.transaction.refuse(mail::summarize_header(message.bytes()), message.bytes()));
        const auto arrival = session.transaction.arrival(
            message, mail::summarize_header(message.bytes()), reader, "127.0.0.1");
        CHECK(arrival.content.bytes() == row.content);
        CHECK(arrival.unfit.has_value() == !row.fits);
    }
}

// RFC 5321 4.5.1.
TEST_CASE("the postmaster without a domain is that of the domain that we serve, not of our host") {
    Session session(false, {domain("a.test")});
    session.says("MAIL FROM:<eve@c.test>");
    CHECK(session.says("RCPT TO:<PostMaster>") == "250 2.1.5");
    const auto arrival = session.sends("Subject: x\r\n\r\n");
    CHECK(arrival.envelope.recipients.at(0).address.text() == "postmaster@a.test");
    CHECK(arrival.destinations.at(0) == queue::Destination{Lane::local, "", "a.test"});
}

TEST_CASE("what XFORWARD says is for the next mail only, and RSET takes it back") {
    const auto client_after = [](std::initializer_list<const char*> lines, bool reset) {
        Session session;
        session.says("XFORWARD ADDR=192.0.2.7 HELO=laptop");
        for (const char* line : lines)
            session.says(line);
        if (reset) session.transaction.reset();
        session.says("MAIL FROM:<alice@a.test>");
        session.says("RCPT TO:<bob@b.test>");
        const auto arrival = session.sends("Subject: x\r\n\r\n");
        return arrival.origin.client + " " + arrival.origin.helo;
    };
    CHECK(client_after({}, false) == "192.0.2.7 laptop");
    CHECK(client_after({"MAIL FROM:<@>"}, false) == "192.0.2.7 laptop");
    CHECK(client_after({"XFORWARD HELO=other"}, false) == "192.0.2.7 other");
    CHECK(client_after({}, true) == "127.0.0.1 client");
    CHECK(client_after({"MAIL FROM:<eve@a.test>"}, true) == "127.0.0.1 client");
    Session session;
    session.says("XFORWARD ADDR=192.0.2.7");
    session.says("MAIL FROM:<alice@a.test>");
    session.says("RCPT TO:<bob@b.test>");
    CHECK(session.sends("Subject: x\r\n\r\n").origin.client == "192.0.2.7");
    session.says("MAIL FROM:<alice@a.test>");
    session.says("RCPT TO:<bob@b.test>");
    CHECK(session.sends("Subject: x\r\n\r\n").origin.client == "127.0.0.1");
}

TEST_CASE("what XMPP can't carry is refused where we have promised that all goes over it") {
    Session session;
    session.router.bonds()->set_peer("b.test", "mail.b.test");
    session.router.bonds()->promise("mail.a.test", {"a.test"}, true, {});
    const auto refusal = [&](const std::string& content) {
        DataReader reader(1000);
        reader.feed(content + ".\r\n");
        const mail::Content message(reader.take());
        const auto reply =
            session.transaction.refuse_promised(mail::summarize_header(message.bytes()), reader);
        return reply ? reply->to_text() : std::string();
    };
    CHECK(session.says("MAIL FROM:<alice@a.test>") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<root@web_01.b.test>") == "250 2.1.5");  // another domain
    session.transaction.reset();
    CHECK(session.says("MAIL FROM:<alice@a.test>") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<a..b@b.test>") == "550 5.7.1");
    CHECK(session.says("RCPT TO:<bob@b.test>") == "250 2.1.5");
    CHECK(refusal("Subject: x\r\n\r\nhi\r\n").empty());
    const std::string why = refusal("no field\r\n\r\nhi\r\n");
    CHECK(why.starts_with("550 5.7.1 XMPP can't carry it"));
    CHECK(why.find("a.test has promised b.test") != std::string::npos);
    session.router.bonds()->set_limit("mail.b.test", 20);
    CHECK(refusal("Subject: x\r\n\r\nhi there\r\n").starts_with("552 5.3.4 b.test takes 20 bytes"));
    session.transaction.reset();
    CHECK(session.says("MAIL FROM:<alice@a.test> SIZE=21") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<bob@b.test>") == "552 5.3.4");
    CHECK(session.says("RCPT TO:<carol@c.test>") == "250 2.1.5");
    session.transaction.reset();
    CHECK(session.says("MAIL FROM:<alice@a.test>") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<bob@b.test>") == "250 2.1.5");
    // Others of the same mail get it.
    CHECK(session.says("RCPT TO:<carol@c.test>") == "250 2.1.5");
    CHECK(refusal("no field\r\n\r\nhi\r\n").empty());
    session.transaction.reset();
    // It is promised for mail of exactly that domain.
    CHECK(session.says("MAIL FROM:<alice@sub.a.test>") == "250 2.1.0");
    CHECK(session.says("RCPT TO:<a..b@b.test>") == "250 2.1.5");
    CHECK(refusal("no field\r\n\r\nhi\r\n").empty());
}
