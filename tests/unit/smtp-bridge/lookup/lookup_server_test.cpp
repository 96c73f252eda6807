// Postfix asks (C), the lookup server answers (S).
#include "smtp-bridge/lookup/lookup_server.hpp"

#include "base/limits.hpp"
#include "smtp-bridge/lookup/miss_filter.hpp"
#include "smtp-bridge/lookup/netstring.hpp"
#include "smtp-bridge/lookup/policy_lookup.hpp"
#include "smtp-bridge/lookup/route_lookup.hpp"
#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using fixture::domain;

TEST_CASE("netstrings, cut anywhere") {
    const std::string wire = "7:route *,";
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
        const auto parsed = parse_netstring(std::string_view(wire).substr(0, cut), 100);
        REQUIRE(parsed);
        CHECK_FALSE(*parsed);
    }
    const std::string two = wire + "0:,";
    const auto parsed = parse_netstring(two, 100);
    CHECK((*parsed)->payload == "route *");
    CHECK((*parsed)->used == wire.size());
    CHECK((*parse_netstring("0:,", 100))->payload.empty());
    CHECK(to_netstring("NOTFOUND ") == "9:NOTFOUND ,");
    for (const char* bad : {":,", "x", "01:a,", "1:ab", "-1:a,", "GET / HTTP/1.1"}) {
        INFO(bad);
        CHECK_FALSE(parse_netstring(bad, 100));
    }
    CHECK(parse_netstring("101:", 100).error().code == base::Errc::limit);
    CHECK(parse_netstring("99999999999999999999", 100).error().code == base::Errc::limit);
}

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

TEST_CASE("the policy service listens, and says nothing but DUNNO") {
    queue::RouteTable table;
    table.set(domain("b.test"), queue::Route::xmpp);
    const auto router = fixture::a_test();
    const PolicyLookup lookup(table, router);
    std::vector<std::string> misses;
    const auto miss = [&](const mail::Domain& d) { misses.push_back(d.ascii()); };
    const auto ask = [&](const std::string& recipient) {
        const std::string request =
            "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=" + recipient +
            "\nsender=\n\n";
        for (std::size_t cut = 0; cut < request.size(); ++cut) {
            std::string none;
            CHECK(lookup.answer(request.substr(0, cut), none, miss).value() == 0);
        }
        std::string output;
        CHECK(lookup.answer(request + "request=", output, miss).value() == request.size());
        CHECK(output == "action=DUNNO\n\n");
    };
    for (const char* known : {"bob@b.test", "alice@a.test", "x@[192.0.2.1]", "", "nonsense", "@"})
        ask(known);
    CHECK(misses.empty());
    ask("x@new.test");
    CHECK(misses == std::vector<std::string>{"new.test"});
    std::string output;
    CHECK_FALSE(lookup.answer("GET / HTTP/1.1\n\n", output, miss));
    CHECK(lookup.answer(std::string(5000, 'x'), output, miss).error().code == base::Errc::limit);
    CHECK(output.empty());
}

TEST_CASE("strangers can start only a few discoveries, and none twice") {
    MissFilter filter;
    const MissFilter::TimePoint now{};
    std::size_t through = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto name = domain(("d" + std::to_string(i) + ".test").c_str());
        if (filter.lets_through(name, now)) ++through;
        CHECK_FALSE(filter.lets_through(name, now));
    }
    CHECK(through == base::limits::kRouteMisses);
    CHECK(filter.lets_through(domain("d1.test"), now + base::limits::kDiscoTime));
}

namespace {

struct Running {
    Running() {
        table.set(domain("b.test"), queue::Route::xmpp);
        LookupServerSettings settings{"test", *Endpoint::parse("unix:" + path), 0600,
                                      std::chrono::seconds(60)};
        server = std::make_unique<LookupServer>(
            settings, std::make_unique<RouteLookup>("lmtp:x", table, router), main.get_executor(),
            [this](mail::Domain d) { missed.push_back(d.ascii()); });
        REQUIRE(server->start());
    }
    dialogue::Folder folder;
    std::string path = folder.socket();
    queue::RouteTable table;
    queue::Router router = fixture::a_test();
    asio::io_context main;
    std::vector<std::string> missed;
    std::unique_ptr<LookupServer> server;
};

/// The payload of the answer, which has no comma and no newline.
std::string ask(dialogue::Line& line, const std::string& key) {
    line.send(to_netstring("route " + key));
    std::string answer;
    while (!answer.ends_with(',')) {
        const auto more = line.read_some();
        if (more.empty()) return "<end>";
        answer += more;
    }
    return answer;
}

}  // namespace

TEST_CASE("many clients are answered at once and quickly, and misses reach the main loop") {
    Running running;
    std::vector<dialogue::Line> clients;
    for (int i = 0; i < 100; ++i)
        clients.push_back(dialogue::connect(running.path));
    const auto start = std::chrono::steady_clock::now();
    for (int round = 0; round < 10; ++round) {
        for (auto& client : clients) {
            const bool right = ask(client, "bob@b.test") == "9:OK lmtp:x,";
            CHECK(right);
        }
    }
    const auto took = std::chrono::steady_clock::now() - start;
    CHECK(took / 1000 < std::chrono::milliseconds(5));
    CHECK(ask(clients[0], "x@new.test") == "9:NOTFOUND ,");
    CHECK(ask(clients[1], "y@new.test") == "9:NOTFOUND ,");
    CHECK(running.missed.empty());
    running.main.run();
    CHECK(running.missed == std::vector<std::string>{"new.test"});
}

TEST_CASE("after a stop no miss is heard of any more") {
    Running running;
    auto client = dialogue::connect(running.path);
    CHECK(ask(client, "x@new.test") == "9:NOTFOUND ,");
    running.server->stop();
    running.main.run();
    CHECK(running.missed.empty());
    CHECK_FALSE(client.read());
    CHECK_FALSE(std::filesystem::exists(running.path));
}

TEST_CASE("garbage is disconnected, and the others are still served") {
    Running running;
    auto good = dialogue::connect(running.path);
    for (const std::string& garbage : {std::string("GET / HTTP/1.1\r\n\r\n"),
                                       std::string("99999:x"), std::string(10'000, '\0')}) {
        auto bad = dialogue::connect(running.path);
        bad.send(garbage);
        CHECK_FALSE(bad.read());
    }
    CHECK(ask(good, "bob@b.test") == "9:OK lmtp:x,");
    // A half request is waited for.
    good.send("16:route bob");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    good.send("@b.test,");
    CHECK_FALSE(good.read_some().empty());
}
