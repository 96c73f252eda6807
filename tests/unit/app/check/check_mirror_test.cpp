// What `check` makes of how a peer sees us.
#include "app/check/check_mirror.hpp"

#include "app/daemon/mirror_answers.hpp"

#include <catch2/catch.hpp>

using namespace app;
using namespace std::chrono_literals;
using component::MirrorLook;
using component::Standing;

namespace {

mail::Domain domain(std::string_view text) {
    return *mail::Domain::parse(text);
}

MirrorLook seen() {
    MirrorLook look;
    look.kind = MirrorLook::Kind::seen;
    look.mirrored.assurance = component::Assurance::pkix;
    look.mirrored.max_size = 50u << 20;
    look.mirrored.max_stanza = 512u << 10;
    look.mirrored.time = look.ours = *base::parse_datetime("2026-11-30T10:00:00Z");
    look.round_trip = 12ms;
    return look;
}

std::vector<MirrorLine> lines(const MirrorLook& look) {
    return mirror_lines("b.test", "mail.a.test", domain("a.test"), mirror_answer(look));
}

MirrorLine line_on(Standing standing) {
    MirrorLook look = seen();
    look.mirrored.domains = {{domain("example.org"), standing}};
    return lines(look).at(1);
}

MirrorLine without(MirrorLook::Kind kind) {
    MirrorLook look;
    look.kind = kind;
    look.why = "these words";
    const auto said = lines(look);
    REQUIRE(said.size() == 1);
    CHECK(peer_lines("b.test", mirror_answer(look)).empty());
    return said.front();
}

MirrorLine clock(std::chrono::milliseconds ahead, std::chrono::milliseconds round_trip) {
    MirrorLook look = seen();
    look.ahead = ahead;
    look.mirrored.time += ahead;
    look.round_trip = round_trip;
    return peer_lines("b.test", mirror_answer(look)).at(1);
}

}  // namespace

TEST_CASE("a peer that sees us as we are has nothing wrong") {
    MirrorLook look = seen();
    look.mirrored.domains = {{domain("a.test"), Standing::verified},
                             {domain("xn--bcher-kva.test"), Standing::verified}};
    CHECK(lines(look) ==
          std::vector<MirrorLine>{
              {true, "b.test sees our link as pkix (mail.a.test)"},
              {true, "b.test takes mail.a.test for the component of a.test, bücher.test"}});
    CHECK(peer_lines("b.test", mirror_answer(look)).at(0) ==
          MirrorLine{true, "b.test takes mails up to 50 MiB, stanzas up to 512 KiB from us"});
    look.mirrored.max_size = 1500;
    CHECK(peer_lines("b.test", mirror_answer(look)).at(0).text ==
          "b.test takes mails up to 1.5 KiB, stanzas up to 512 KiB from us");
}

TEST_CASE("a domain that the peer does not believe us has its reason and its mend") {
    const auto unacknowledged = line_on(Standing::unacknowledged);
    CHECK_FALSE(unacknowledged.good);
    CHECK(unacknowledged.text ==
          "b.test does not take mail.a.test for example.org's component: example.org does not "
          "name or list it. Mend: example.org has to name mail.a.test in mail-transfer-addresses");
    CHECK(line_on(Standing::disputed).text.find("several components claim it") !=
          std::string::npos);
    CHECK(line_on(Standing::no_server).text.find("_xmpp-server._tcp.example.org") !=
          std::string::npos);
    CHECK(line_on(Standing::unreachable).text.find("it can't ask example.org over XMPP. Mend: ") !=
          std::string::npos);
    for (const auto standing : {Standing::disputed, Standing::no_server, Standing::unreachable})
        CHECK_FALSE(line_on(standing).good);
    CHECK(line_on(Standing::later).good);
}

TEST_CASE("a peer that says nothing is wrong only if it is silent, or does not believe us") {
    CHECK(without(MirrorLook::Kind::older) ==
          MirrorLine{true, "b.test does not answer how it sees us (an older version)"});
    CHECK(without(MirrorLook::Kind::busy).good);
    const auto refused = without(MirrorLook::Kind::refused);
    CHECK_FALSE(refused.good);
    CHECK(refused.text ==
          "b.test does not take mail.a.test for a.test's component: it says these words. Mend: "
          "a.test has to name mail.a.test in mail-transfer-addresses");
    const auto unverified = without(MirrorLook::Kind::unverified);
    CHECK_FALSE(unverified.good);
    CHECK(unverified.text.find("it can't ask a.test over XMPP (it says these words). Mend: ") !=
          std::string::npos);
    for (const auto kind : {MirrorLook::Kind::silent, MirrorLook::Kind::failed})
        CHECK(without(kind) ==
              MirrorLine{false, "b.test does not say how it sees us: these words"});
}

TEST_CASE("clocks may differ by half a minute, and by what the way may account for") {
    CHECK(clock(-300ms, 12ms) ==
          MirrorLine{true, "b.test: round trip 12 ms; its clock is 0.3 s behind ours"});
    CHECK(clock(30s, 0ms).good);
    CHECK(clock(31s, 2s).good);
    CHECK_FALSE(clock(31s, 1s).good);
    const auto ahead = clock(45s, 12ms);
    CHECK_FALSE(ahead.good);
    CHECK(ahead.text ==
          "b.test: its clock shows 2026-11-30T10:00:45Z where ours shows 2026-11-30T10:00:00Z: it "
          "is 45.0 s ahead of ours, and a round trip takes 12 ms. Mend: the clock that is wrong, "
          "by its synchronisation (timedatectl)");
    CHECK_FALSE(clock(-1h, 12ms).good);
}
