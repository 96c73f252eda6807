#include "queue/route_table.hpp"
#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

TEST_CASE("the router knows our own domains, our senders, and nobody else's") {
    const queue::Router router({{domain("a.test"), "mail.a.test"},
                                {domain("sub.a.test"), "mail.sub.a.test"},
                                {domain("z.test"), "mail.a.test"}},
                               "mail.a.test", {{"mail.a.test", domain("z.test")}});
    CHECK(router.route(mailbox("eve@c.test"), mailbox("alice@a.test")) == kLocal);
    CHECK(router.route(mailbox("alice@A.test"), mailbox("bob@b.test")) == kToB);
    CHECK(router.route(std::nullopt, mailbox("bob@b.test")) == kToB);
    CHECK(router.route(mailbox("eve@c.test"), mailbox("bob@b.test")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), mailbox("bob@[192.0.2.1]")) == kRelay);
    CHECK(router.route(mailbox("x@deep.sub.a.test"), mailbox("bob@b.test")).component ==
          "mail.sub.a.test");
    CHECK(router.route(mailbox("x@xa.test"), mailbox("bob@b.test")) == kRelay);
    // XMPP can't carry these.
    const auto odd = [](const char* text) { return mail::Mailbox::parse_loosely(text).value(); };
    CHECK(router.route(odd("x@web_01.a.test"), mailbox("bob@b.test")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), odd("bob@b.test.")) == kRelay);
    CHECK(router.route(odd("x@web_01.a.test"), odd("alice@a.test.")) == kLocal);

    CHECK(router.sending_domain(std::nullopt, "mail.a.test") == domain("z.test"));
    CHECK(router.sending_domain(std::nullopt, "mail.sub.a.test") == domain("sub.a.test"));
    CHECK(router.sending_domain(mailbox("x@list.a.test"), "mail.a.test") == domain("a.test"));
    CHECK_FALSE(router.sending_domain(mailbox("x@c.test"), "mail.a.test"));
    CHECK_FALSE(router.sending_domain(mailbox("x@sub.a.test"), "mail.a.test"));
}

TEST_CASE("our components' names are ours, and mail to them never goes over XMPP") {
    const queue::Router router(
        {{domain("a.test"), "mail.a.test"}, {domain("b\xC3\xBC.test"), "post.example"}},
        "mail.a.test", {}, {}, queue::LanePolicy({true, {}}, {{domain("a.test"), {true, {}}}}));
    CHECK(router.ours() == std::set<std::string, std::less<>>{"a.test", "mail.a.test",
                                                              "post.example", "xn--b-eha.test"});
    CHECK(router.route(mailbox("alice@a.test"), mailbox("x@mail.a.test")) == kRelay);
    CHECK(router.route(std::nullopt, mailbox("x@post.example")) == kRelay);
    CHECK(router.route(mailbox("alice@a.test"), mailbox("x@sub.a.test")).lane == queue::Lane::xmpp);
    // Nothing is required of a lane that it does not take.
    CHECK_FALSE(router.rule("a.test").required);
    CHECK_FALSE(router.rule("mail.a.test").required);
    CHECK(router.rule("b.test").required);
}

TEST_CASE("what is ours is no route, whoever says so") {
    queue::RouteTable table({"a.test", "mail.a.test"});
    int changes = 0;
    table.on_change([&](const std::string&, bool) { ++changes; });
    table.set(domain("A.test"), queue::Route::xmpp);
    table.set(domain("mail.a.test"), queue::Route::xmpp);
    CHECK(table.find(domain("a.test")) == queue::Route::smtp);
    CHECK(table.find(domain("mail.a.test")) == queue::Route::smtp);
    CHECK(table.xmpp_domains().empty());
    CHECK(changes == 0);
}

TEST_CASE("the route table answers what it was told, and forgets") {
    queue::RouteTable table;
    CHECK(table.find(domain("b.test")) == queue::Route::unknown);
    table.set(domain("b.test"), queue::Route::xmpp);
    table.set(domain("c.test"), queue::Route::smtp);
    CHECK(table.find(domain("B.test")) == queue::Route::xmpp);
    CHECK(table.find(domain("c.test")) == queue::Route::smtp);
    table.set(domain("b.test"), queue::Route::unknown);
    CHECK(table.find(domain("b.test")) == queue::Route::unknown);
    CHECK(table.size() == 1);
}

TEST_CASE(
    "while a table is closed all mail goes by SMTP, and it is as before when it opens again") {
    queue::RouteTable table;
    std::vector<std::pair<std::string, bool>> changes;
    table.on_change([&](const std::string& name, bool xmpp) { changes.emplace_back(name, xmpp); });
    const auto b = *mail::Domain::parse("b.test");
    const auto c = *mail::Domain::parse("c.test");
    table.set(b, queue::Route::xmpp);
    table.close(true);
    table.close(true);
    CHECK(table.find(b) == queue::Route::smtp);
    CHECK(table.find(c) == queue::Route::smtp);  // and nobody looks it up
    CHECK(table.xmpp_domains().empty());
    table.set(c, queue::Route::xmpp);
    CHECK(table.find(c) == queue::Route::smtp);
    table.close(false);
    CHECK(table.find(b) == queue::Route::xmpp);
    CHECK(table.find(c) == queue::Route::xmpp);
    const std::vector<std::pair<std::string, bool>> told(changes.begin(), changes.begin() + 2);
    CHECK(told == std::vector<std::pair<std::string, bool>>{{"b.test", true}, {"b.test", false}});
    CHECK(changes.size() == 4);
}
