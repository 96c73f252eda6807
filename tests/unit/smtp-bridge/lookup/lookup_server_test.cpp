// Postfix asks (C), the lookup server answers (S).
#include "smtp-bridge/lookup/lookup_server.hpp"

#include "base/limits.hpp"
#include "smtp-bridge/lookup/miss_filter.hpp"
#include "smtp-bridge/lookup/netstring.hpp"
#include "smtp-bridge/lookup/route_lookup.hpp"
#include "support/smtp-bridge/fixture.hpp"

#include <future>

using namespace smtp_bridge;
using fixture::domain;

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

TEST_CASE("many clients are answered at once, and misses reach the main loop") {
    Running running;
    std::vector<dialogue::Line> clients;
    for (int i = 0; i < 100; ++i)
        clients.push_back(dialogue::connect(running.path));
    for (int round = 0; round < 10; ++round) {
        for (auto& client : clients) {
            const bool right = ask(client, "bob@b.test") == "9:OK lmtp:x,";
            CHECK(right);
        }
    }
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

namespace {

/// `open` is answered by the test, everything else at once by itself.
struct Parrot final : Lookup {
    using Tells = std::function<void(OpenAnswer::Tell)>;
    explicit Parrot(Tells t) : tells(std::move(t)) {}
    base::Result<LookupAnswer> answer(std::string_view input, std::string& output,
                                      const OnMiss&) const override {
        const auto end = input.find('\n');
        if (end == std::string_view::npos) return LookupAnswer{};
        const auto word = input.substr(0, end);
        if (word == "open")
            return LookupAnswer{end + 1, OpenAnswer{tells, [] { return std::string("late\n"); }}};
        output += std::string(word) + "\n";
        return LookupAnswer{end + 1};
    }
    Tells tells;
};

/// A server whose open answers wait for the test.
struct Waiting {
    Waiting() {
        LookupServerSettings settings{"test", *Endpoint::parse("unix:" + path), 0600,
                                      std::chrono::seconds(60)};
        const auto keep = [this](OpenAnswer::Tell tell) { told.set_value(std::move(tell)); };
        server = std::make_unique<LookupServer>(settings, std::make_unique<Parrot>(keep),
                                                main.get_executor(), [](mail::Domain) {});
        REQUIRE(server->start());
    }
    OpenAnswer::Tell tell() {
        auto future = told.get_future();
        REQUIRE(future.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
        return future.get();
    }
    dialogue::Folder folder;
    std::string path = folder.socket();
    asio::io_context main;
    std::promise<OpenAnswer::Tell> told;
    std::unique_ptr<LookupServer> server;
};

}  // namespace

TEST_CASE("while an answer is open others get theirs, and its client gets all in order") {
    Waiting running;
    auto slow = dialogue::connect(running.path);
    auto quick = dialogue::connect(running.path);
    slow.send("one\nopen\ntwo\n");
    const auto tell = running.tell();
    quick.send("three\n");
    CHECK(quick.read() == "three");
    tell("four\n");
    tell("never\n");  // the first word counts
    CHECK(slow.read() == "one");
    CHECK(slow.read() == "four");
    CHECK(slow.read() == "two");
}

TEST_CASE("a server stops at once though an answer is open, and is told too late") {
    Waiting running;
    auto client = dialogue::connect(running.path);
    client.send("open\n");
    const auto tell = running.tell();
    running.server->stop();
    CHECK_FALSE(client.read());
    tell("late\n");
    running.server.reset();
    tell("later\n");
}
