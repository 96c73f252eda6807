#include "smtp-bridge/lookup/route_lookup.hpp"

#include "support/smtp-bridge/fixture.hpp"

#include <catch2/catch.hpp>

using namespace smtp_bridge;
using fixture::domain;

TEST_CASE("what each kind of key is answered with") {
    queue::RouteTable table;
    table.set(domain("b.test"), queue::Route::xmpp);
    table.set(domain("smtp.test"), queue::Route::smtp);
    table.set(domain("a.test"), queue::Route::xmpp);
    const auto router = fixture::a_test();
    std::vector<std::string> misses;
    const RouteLookup lookup("lmtp:inet:[127.0.0.1]:2424", table, router);
    const auto ask = [&](std::string_view key) {
        return lookup.answer_to("route " + std::string(key),
                                [&](const mail::Domain& d) { misses.push_back(d.ascii()); });
    };
    const std::string yes = "OK lmtp:inet:[127.0.0.1]:2424";
    for (const char* key : {"bob@b.test", "b.test", "BOB@B.Test", "@b.test", "\"a b@x\"@b.test"}) {
        INFO(key);
        CHECK(ask(key) == yes);
    }
    for (const char* key :
         {"*", "", "bob", "bob@", ".test", ".b.test", "alice@a.test", "a.test", "x@smtp.test",
          "x@[192.0.2.1]", "x@b..test", "localhost", "<>", "x@b.test\x01", "x y"}) {
        INFO(key);
        CHECK(ask(key) == "NOTFOUND ");
    }
    std::string long_key(2000, 'x');
    long_key += "@b.test";
    CHECK(ask(long_key) == "NOTFOUND ");
    CHECK(misses.empty());
    CHECK(ask("x@new.test") == "NOTFOUND ");
    CHECK(misses == std::vector<std::string>{"new.test"});
    const auto none = [](const mail::Domain&) {};
    CHECK(lookup.answer_to("other bob@b.test", none).starts_with("PERM "));
    CHECK(lookup.answer_to("route", none).starts_with("PERM "));
}

TEST_CASE("a domain that requires XMPP is never answered with SMTP, and a closed table always is") {
    const queue::Router router({{domain("a.test"), "mail.a.test"}}, "mail.a.test", {}, {},
                               queue::LanePolicy({}, {{domain("must.test"), {true, {}}}}));
    queue::RouteTable table;
    table.set(domain("b.test"), queue::Route::xmpp);
    table.close(true);
    const RouteLookup lookup("lmtp:x", table, router);
    int misses = 0;
    const auto miss = [&](const mail::Domain&) { ++misses; };
    CHECK(lookup.answer_to("route x@must.test", miss) == "OK lmtp:x");
    CHECK(lookup.answer_to("route x@b.test", miss) == "NOTFOUND ");
    CHECK(lookup.answer_to("route x@new.test", miss) == "NOTFOUND ");
    CHECK(misses == 0);
    table.close(false);
    CHECK(lookup.answer_to("route x@b.test", miss) == "OK lmtp:x");
}
