// look_in_mirror(): A asks B how it is seen, and hears it, or why not.
#include "component/outgoing/mirror_look.hpp"

#include "component/protocol/mirror_codec.hpp"
#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;
using Kind = MirrorLook::Kind;

namespace {

struct Asker : World {
    MirrorLook look(const IqReply& reply, std::chrono::milliseconds takes = 0ms) {
        link.script = [=, this](const ScriptedLink::Asked&) {
            clock.advance(takes);
            return reply;
        };
        return support::run<MirrorLook>(io, [&] {
            std::vector<mail::Domain> domains{domain("a.test"), domain("a2.test")};
            return look_in_mirror(link, "mail.b.test", std::move(domains), clock);
        });
    }
    Mirrored view() { return {Assurance::dialback, 5000, 20000, clock.now(), 0ms, {}}; }
};

}  // namespace

TEST_CASE("A asks B in the name of its domains, and waits for it no longer than it has to") {
    Asker a;
    const auto look = a.look(a.view());
    REQUIRE(a.link.asked.size() == 1);
    const auto& asked = a.link.asked[0];
    CHECK(asked.to == "mail.b.test");
    CHECK(asked.type == "get");
    CHECK(asked.limit == kMirrorTime);
    const auto request = read_payload(asked.payload, "get");
    CHECK(std::get<IncomingMirror>(request).domains ==
          std::vector<mail::Domain>{domain("a.test"), domain("a2.test")});
    CHECK(look.kind == Kind::seen);
    CHECK(look.mirrored.assurance == Assurance::dialback);
}

TEST_CASE("A believes B of what A asked, and of nothing else") {
    Asker a;
    Mirrored said = a.view();
    said.domains = {{domain("other.test"), Standing::verified},
                    {domain("a2.test"), Standing::disputed}};
    const auto look = a.look(said);
    CHECK(look.mirrored.domains ==
          std::vector<Mirrored::Seen>{{domain("a.test"), Standing::later},
                                      {domain("a2.test"), Standing::disputed}});
}

TEST_CASE("The clocks are compared at the moment that B's was read") {
    Asker a;
    Mirrored said = a.view();
    SECTION("a second there and back: half of it each way") {
        said.time += 500ms;
        const auto look = a.look(said, 1000ms);
        CHECK(look.round_trip == 1000ms);
        CHECK(look.ahead == 0ms);
    }
    SECTION("B has looked domains up for nine of ten seconds") {
        said.took = 9000ms;
        said.time += 9500ms + 40s;
        const auto look = a.look(said, 10s);
        CHECK(look.round_trip == 1000ms);
        CHECK(look.ahead == 40s);
        CHECK(look.ours == a.clock.now() - 500ms);
    }
    SECTION("B is behind") {
        said.time -= 1h;
        CHECK(a.look(said).ahead == -1h);
    }
    SECTION("B says that it took longer than it can have") {
        said.took = kMirrorTook;
        CHECK(a.look(said, 10ms).round_trip == 0ms);
    }
}

TEST_CASE("Each way not to answer has its name") {
    Asker a;
    const struct {
        IqReply reply;
        Kind kind;
    } table[] = {
        {StanzaError{"cancel", "service-unavailable", {}, {}, {}}, Kind::older},
        {StanzaError{"cancel", "feature-not-implemented", {}, {}, {}}, Kind::older},
        {not_authorised("mail.a.test does not speak for a.test"), Kind::refused},
        {unverified("a.test can't be asked now"), Kind::unverified},
        {busy("this was asked too often"), Kind::busy},
        {beyond_rate("wait", 60s), Kind::busy},
        {malformed("no"), Kind::failed},
        {StanzaError{"cancel", "remote-server-not-found", {}, {}, {}}, Kind::failed},
        {NoAnswer{base::fail(base::Errc::timeout, "no answer from mail.b.test"), true},
         Kind::silent},
        {Malformed{"it is nonsense"}, Kind::failed},
        {Verdicts(), Kind::failed},
        {result("<query xmlns='jabber:iq:version'/>"), Kind::failed},
    };
    for (const auto& row : table) {
        const auto look = a.look(row.reply);
        CAPTURE(look.why);
        CHECK(look.kind == row.kind);
        CHECK_FALSE(look.why.empty());
        CHECK(std::string(to_text(look.kind)).size() > 3);
    }
    const std::string words = a.look(not_authorised(std::string(2000, 'x') + "\x1b[2J")).why;
    CHECK(words.size() <= base::limits::kStatusText);
    CHECK(words.find('\x1b') == std::string::npos);
}
