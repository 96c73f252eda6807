// The mirror: what one side writes the other reads, and what hostile peers send.
#include "component/protocol/mirror_codec.hpp"

#include "support/component/doubles.hpp"

using namespace component;
using namespace doubles;
using namespace std::chrono_literals;

namespace {

std::string mirror_fault(const std::string& payload, std::string_view type = "get") {
    const auto read = read_payload(payload, type);
    const auto* malformed = std::get_if<Malformed>(&read);
    return malformed == nullptr ? "" : malformed->why;
}

std::string changed(std::string text, const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

std::vector<mail::Domain> domains(std::size_t count) {
    std::vector<mail::Domain> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back(domain(fmt::format("a{}.test", i)));
    return all;
}

Mirrored sample() {
    return {Assurance::pkix,
            52428800,
            524288,
            *base::parse_datetime("2026-11-30T10:00:00Z") + 7ms,
            1234ms,
            {{domain("a.test"), Standing::verified},
             {domain("xn--bcher-kva.test"), Standing::no_server}}};
}

}  // namespace

TEST_CASE("A asks how it is seen, and B reads for which domains") {
    const auto asked = domains(kMirrorDomains);
    const std::string payload = encode_mirror(asked);
    keep_stanza(*write_iq({"get", "q1", "mail.a.test", "mail.b.test"}, payload));
    const auto read = read_payload(payload, "get");
    REQUIRE(std::holds_alternative<IncomingMirror>(read));
    CHECK(std::get<IncomingMirror>(read).domains == asked);
}

TEST_CASE("A question that names too many domains, none, or what is none is malformed") {
    CHECK(mirror_fault(encode_mirror(domains(kMirrorDomains + 1))) == "too many domains");
    CHECK(mirror_fault("<mirror xmlns='urn:xmpp:mail-transfer:0'/>") == "no domain is named");
    const std::string good = encode_mirror(domains(2));
    CHECK(mirror_fault(good).empty());
    CHECK(mirror_fault(changed(good, "a1.test", "a0.test")) == "a domain is named twice");
    CHECK(mirror_fault(changed(good, "a1.test", "A1.test")) ==
          "the domain is not in lower-case A-labels");
    CHECK(mirror_fault(changed(good, "a1.test", "[192.0.2.1]")) ==
          "the domain is not in lower-case A-labels");
    CHECK(mirror_fault(changed(good, "name='a1.test'", "")) == "the attribute name is missing");
    CHECK(mirror_fault(changed(good, "name='a1.test'", "name='a1.test' state='verified'")) ==
          "undefined attribute state");
    CHECK(mirror_fault(changed(good, "<domain", "<transfer")) == "undefined element transfer");
    CHECK(mirror_fault(changed(good, "<domain", "because<domain")) == "text between elements");
}

TEST_CASE("What B says of A arrives as it was") {
    for (const Assurance assurance : {Assurance::pkix, Assurance::dialback, Assurance::none}) {
        Mirrored said = sample();
        said.assurance = assurance;
        const std::string payload = encode_mirrored(said);
        keep_stanza(*write_iq({"result", "q1", "mail.b.test", "mail.a.test"}, payload));
        const auto read = read_payload(payload, "result");
        REQUIRE(std::holds_alternative<Mirrored>(read));
        CHECK(std::get<Mirrored>(read) == said);
    }
    for (const Standing standing :
         {Standing::verified, Standing::unacknowledged, Standing::disputed, Standing::no_server,
          Standing::unreachable, Standing::later}) {
        Mirrored said = sample();
        said.domains = {{domain("a.test"), standing}};
        const auto read = read_payload(encode_mirrored(said), "result");
        CHECK(std::get<Mirrored>(read) == said);
    }
}

// XEP-0082 3.2.
TEST_CASE("A mirror that is none shows nothing, and a word of a later version says nothing") {
    const std::string good = encode_mirrored(sample());
    const auto bad = [&](const char* from, const char* to) {
        return mirror_fault(changed(good, from, to), "result");
    };
    CHECK(good.find("time='2026-11-30T10:00:00.007Z'") != std::string::npos);
    CHECK(bad("'pkix'", "'strong'") == "the assurance is none of pkix, dialback and none");
    CHECK(bad("52428800", "1099511627777") == "the attribute max-size is no number, or too large");
    CHECK(bad("00.007Z", "00Z") == "the time is not one in UTC and milliseconds");
    CHECK(bad("00.007Z", "00.007+01:00") == "the time is not one in UTC and milliseconds");
    CHECK(bad("00.007Z", "00.0070Z") == "the time is not one in UTC and milliseconds");
    CHECK(bad("1234", "600001") == "the attribute took is no number, or too large");
    CHECK(bad("1234", "-1") == "the attribute took is no number, or too large");
    CHECK(bad("took=", "class='good' took=") == "undefined attribute class");
    CHECK(bad("xn--bcher-kva.test", "a.test") == "a domain is named twice");
    const auto read = read_payload(changed(good, "no-server", "out-of-luck"), "result");
    CHECK(std::get<Mirrored>(read).domains.at(1).standing == Standing::later);
    Mirrored many = sample();
    many.domains.clear();
    for (auto& each : domains(kMirrorDomains + 1))
        many.domains.push_back({std::move(each), Standing::verified});
    CHECK(mirror_fault(encode_mirrored(many), "result") == "too many domains");
}

TEST_CASE("The longest answer passes where every server's least does") {
    Mirrored longest = sample();
    longest.max_size = longest.max_stanza = std::uint64_t(1) << 40;
    longest.took = kMirrorTook;
    longest.domains.clear();
    for (std::size_t i = 0; i < kMirrorDomains; ++i) {
        std::string name = fmt::format("a{:02}", i);
        while (name.size() < 190)
            name += '.' + std::string(60, 'x');
        longest.domains.push_back({domain(name), Standing::unacknowledged});
    }
    CHECK(encode_mirrored(longest).size() <= room_for_answer(base::limits::kStanzaUnknown));
}
