#include "queue/route_table.hpp"

#include "support/queue/fixture.hpp"

#include <catch2/catch.hpp>

using namespace support;

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
