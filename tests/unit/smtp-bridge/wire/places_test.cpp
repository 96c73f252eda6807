#include "smtp-bridge/wire/places.hpp"

#include "base/limits.hpp"
#include "smtp-bridge/lookup/lookup_server.hpp"
#include "smtp-bridge/lookup/netstring.hpp"
#include "smtp-bridge/lookup/route_lookup.hpp"
#include "support/smtp-bridge/fixture.hpp"

using namespace smtp_bridge;
using namespace std::chrono_literals;

namespace {

constexpr Places::TimePoint kNow{std::chrono::hours(1)};

struct FakeGuest final : Guest {
    FakeGuest(std::string address, std::optional<std::chrono::seconds> silent, bool at_work = false)
        : address_(std::move(address)), at_work_(at_work) {
        if (silent) since_ = kNow - *silent;
    }
    const std::string& client() const override { return address_; }
    std::optional<Places::TimePoint> silent_since() const override { return since_; }
    bool is_at_work() const override { return at_work_; }
    void send_away() override { gone = true; }

    bool gone = false;

  private:
    std::string address_;
    std::optional<Places::TimePoint> since_;
    bool at_work_;
};

}  // namespace

TEST_CASE("with no room left the longest silent goes, at first of those without a mail") {
    Places places(4, 10s);
    FakeGuest at_work("a", 100s, true);
    FakeGuest waits_for_us("a", std::nullopt);
    FakeGuest silent("a", 3s);
    FakeGuest longer_silent("b", 5s);
    for (FakeGuest* guest : {&at_work, &waits_for_us, &silent})
        places.add(*guest);
    CHECK(places.make_room("a", 4, kNow) == Places::Room::free);
    places.add(longer_silent);
    CHECK(places.make_room("a", 4, kNow) == Places::Room::made);
    CHECK(longer_silent.gone);
    FakeGuest next("a", std::nullopt);
    places.add(next);
    CHECK(places.make_room("c", 4, kNow) == Places::Room::made);
    CHECK(silent.gone);
    FakeGuest another("a", 9s, true);
    places.add(another);
    CHECK(places.make_room("c", 4, kNow) == Places::Room::made);
    CHECK(at_work.gone);
    FakeGuest last("a", std::nullopt);
    places.add(last);
    CHECK(places.make_room("c", 4, kNow) == Places::Room::none);
    CHECK(places.make_room("c", 4, kNow + 1s) == Places::Room::made);
    CHECK(another.gone);
    CHECK_FALSE(waits_for_us.gone);
    places.remove(next);
    CHECK(places.make_room("c", 4, kNow) == Places::Room::free);
}

TEST_CASE("a client that has all that it may have makes room for itself, and for nobody else") {
    Places places(10, 10s);
    FakeGuest own("a", 1s);
    FakeGuest other("b", 100s);
    places.add(own);
    places.add(other);
    CHECK(places.make_room("a", 1, kNow) == Places::Room::made);
    CHECK(own.gone);
    CHECK_FALSE(other.gone);
}

TEST_CASE("it is told once a minute") {
    Places places(1, 0s);
    CHECK(places.is_news(kNow));
    CHECK_FALSE(places.is_news(kNow + 59s));
    CHECK(places.is_news(kNow + 60s));
}

TEST_CASE("however many clients sit on the intake, the next one is served, and mail is taken") {
    const bool in_a_mail = GENERATE(false, true);
    fixture::RunningServer server(Protocol::lmtp, [](ListenerSettings& settings) {
        settings.admission = std::make_shared<Admission>();
        settings.admission->places = Places(base::limits::kSmtpConnections, 0s);
    });
    std::vector<dialogue::Line> sitting;
    for (std::size_t i = 0; i < 2 * base::limits::kSmtpConnections; ++i) {
        sitting.push_back(server.connect());
        auto& line = sitting.back();
        const auto greeting = line.read().value_or("<end>");
        REQUIRE(greeting.starts_with("220"));
        if (!in_a_mail) continue;
        line.send("LHLO x\r\nMAIL FROM:<>\r\n");
        for (std::string answer; !answer.starts_with("250 2.1.0");) {
            const auto more = line.read();
            REQUIRE(more);
            answer = *more;
        }
    }
    CHECK(server.play(dialogue::kHello + dialogue::kMail) == "");
    CHECK(server.intake.taken.size() == 1);
    // Who had to go was told why, and the others were left alone.
    CHECK(dialogue::play(sitting.front(), "S: 421 4.7.0\nS: <end>", 'C') == "");
    CHECK(dialogue::play(sitting.back(), "C: NOOP\nS: 250", 'C') == "");
}

TEST_CASE("however many clients sit on a lookup server, the next one is answered") {
    dialogue::Folder folder;
    const std::string path = folder.socket();
    queue::RouteTable table;
    table.set(fixture::domain("b.test"), queue::Route::xmpp);
    const auto router = fixture::a_test();
    asio::io_context main;
    LookupServer server({"test", *Endpoint::parse("unix:" + path), 0600},
                        std::make_unique<RouteLookup>("lmtp:x", table, router), main.get_executor(),
                        [](const mail::Domain&) {});
    REQUIRE(server.start());
    const auto is_answered = [](dialogue::Line& line) {
        line.send(to_netstring("route bob@b.test"));
        return line.read_some() == "9:OK lmtp:x,";
    };
    std::vector<dialogue::Line> sitting;
    for (std::size_t i = 0; i < 2 * base::limits::kRouteClients; ++i) {
        sitting.push_back(dialogue::connect(path));
        CHECK(is_answered(sitting.back()));
    }
    CHECK(sitting.front().read_some().empty());
    auto postfix = dialogue::connect(path);
    CHECK(is_answered(postfix));
    server.stop();
}
