// MirrorReceiver: B tells A how it sees it, and nobody else, not too often, and in time.
#include "component/incoming/mirror_receiver.hpp"

#include "component/protocol/mirror_codec.hpp"
#include "support/component/receiver.hpp"
#include "support/log_lines.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

struct Asked : Receiver {
    /// A asks; what B has sent when `time` is over, or once it has answered.
    std::string ask_of(const std::vector<std::string>& names,
                       const std::string& from = "mail.a.test", const std::string& type = "get") {
        link.sent.clear();
        begin(names, from, type);
        support::run_until(io, [this] { return !link.sent.empty(); });
        REQUIRE(link.sent.size() == 1);
        return link.sent[0];
    }
    void begin(const std::vector<std::string>& names, const std::string& from = "mail.a.test",
               const std::string& type = "get") {
        std::vector<mail::Domain> domains;
        for (const auto& name : names)
            domains.push_back(domain(name));
        auto read_request = read_payload(encode_mirror(domains), type);
        receiver->on_transfers({type, "q1", from, "mail.b.test"}, std::move(read_request));
    }
    static Mirrored mirrored_in(const std::string& stanza) {
        auto events = read(stanza);
        REQUIRE(std::holds_alternative<TransferStanza>(events.at(0)));
        return std::get<Mirrored>(std::get<TransferStanza>(events.at(0)).payload);
    }
    static StanzaError error_in(const std::string& stanza) { return read_error(*read_tag(stanza)); }
};

}  // namespace

TEST_CASE("A sees in the mirror what B's configuration says of its links, and B's clock") {
    Asked b;
    b.link.settings_.assurance = Assurance::pkix;
    b.link.settings_.max_size = 1000;
    b.link.settings_.max_stanza = 20000;
    const Mirrored seen = Asked::mirrored_in(b.ask_of({"a.test"}));
    CHECK(seen.assurance == Assurance::pkix);
    CHECK(seen.max_size == 1000);
    CHECK(seen.max_stanza == 20000);
    CHECK(seen.time == b.clock.now());
    CHECK(seen.domains == std::vector<Mirrored::Seen>{{domain("a.test"), Standing::verified}});
    // It is a question, and no mail.
    CHECK(b.intake.arrivals.empty());
    CHECK(b.discovery->known(domain("a.test")) == queue::Route::xmpp);
}

TEST_CASE("Of each of A's domains B says whether it believes A, or why not") {
    Asked b;
    b.list("listed.test", {"mail.listed.test"});
    b.add_component("mail.listed.test", {"listed.test"});
    b.name("named.test", {"mail.a.test"});
    b.list("rivals.test", {"mail1.rivals.test", "mail2.rivals.test"});
    b.add_component("mail1.rivals.test", {"rivals.test"});
    b.add_component("mail2.rivals.test", {"rivals.test"});
    b.dns->answers["dead.test"] = SrvAnswer::exists;
    b.infos["dead.test"] = "dead";
    b.dns->answers["mute.test"] = SrvAnswer::unknown;
    const auto seen =
        Asked::mirrored_in(b.ask_of({"a.test", "listed.test", "named.test", "rivals.test",
                                     "dead.test", "mute.test", "nowhere.test"}));
    std::map<std::string, Standing> states;
    for (const auto& each : seen.domains)
        states[each.domain.ascii()] = each.standing;
    CHECK(states.at("a.test") == Standing::verified);
    CHECK(states.at("named.test") == Standing::verified);  // its word is enough
    CHECK(states.at("listed.test") == Standing::unacknowledged);
    CHECK(states.at("rivals.test") == Standing::disputed);
    CHECK(states.at("dead.test") == Standing::unreachable);
    CHECK(states.at("mute.test") == Standing::unreachable);
    CHECK(states.at("nowhere.test") == Standing::no_server);
    // What A asked for is no route now.
    CHECK(b.discovery->known(domain("listed.test")) != queue::Route::xmpp);
}

TEST_CASE("Who may not send for the first domain hears nothing but that") {
    Asked b;
    for (const std::string from : {"mail.evil.test", "alice@mail.a.test", "mail.a.test/x"}) {
        const auto error = Asked::error_in(b.ask_of({"a.test", "nowhere.test"}, from));
        CHECK(error.condition == "forbidden");
        CHECK(error.ours == "domain-not-authorized");
    }
    CHECK(b.dns->asked == 1);  // for a.test, once: nobody had a reason to ask for the other
    const auto error = Asked::error_in(b.ask_of({"nowhere.test", "a.test"}));
    CHECK(error.ours == "domain-not-authorized");
    CHECK(error.text == "mail.a.test does not speak for nowhere.test (no-server)");
    b.dns->answers["dead.test"] = SrvAnswer::exists;
    b.infos["dead.test"] = "dead";
    const auto later = Asked::error_in(b.ask_of({"dead.test"}));
    CHECK(later.ours == "busy");
    CHECK(later.cause == BusyCause::unverified);
    CHECK(later.text == "dead.test can't be asked now");
}

TEST_CASE("It is asked by an IQ of type get, and answers are no questions") {
    Asked b;
    CHECK(Asked::error_in(b.ask_of({"a.test"}, "mail.a.test", "set")).ours == "malformed");
    b.link.sent.clear();
    b.receiver->on_transfers({"get", "q1", "mail.a.test", "mail.b.test"}, Mirrored());
    REQUIRE(b.link.sent.size() == 1);
    CHECK(Asked::error_in(b.link.sent[0]).text == "an answer is no request");
}

TEST_CASE("An organisation that asks and asks has to wait, whatever its names, and no other") {
    Asked b;
    b.ask_of({"a.test"});
    const auto most = static_cast<int>(MirrorReceiver::kAtOnce);
    for (int i = 1; i < most; ++i)
        Asked::mirrored_in(b.ask_of({"a.test"}));
    const auto error = Asked::error_in(b.ask_of({"a.test"}));
    CHECK(error.ours == "busy");
    CHECK(error.cause == BusyCause::none);
    CHECK(error.retry_after == 10s);
    CHECK(Asked::error_in(b.ask_of({"a.test"}, "other.a.test")).ours == "busy");
    b.list("c.test", {"mail.c.test"});
    b.add_component("mail.c.test", {"c.test"});
    CHECK(Asked::mirrored_in(b.ask_of({"c.test"}, "mail.c.test")).domains.size() == 1);
    b.clock.advance(10s);
    Asked::mirrored_in(b.ask_of({"a.test"}));
    CHECK(Asked::error_in(b.ask_of({"a.test"})).ours == "busy");
}

TEST_CASE("Strangers by the hundred leave those whom mail goes to their answers") {
    const support::LogLines log;
    Asked b;
    // Mail of B's has gone to A.
    Asked::mirrored_in(b.ask_of({"a.test"}));
    b.discovery->sent_to(domain("a.test"));
    REQUIRE(b.discovery->is_correspondent("mail.a.test"));
    int answered = 0;
    const auto most = static_cast<int>(MirrorReceiver::kStrangersAtOnce);
    for (int i = 0; i < most + 50; ++i) {
        const std::string name = fmt::format("evil{}.test", i);
        answered += b.ask_of({name}, name).find("<mirrored") != std::string::npos ? 1 : 0;
    }
    // One was A's, which was a stranger then. (They are components by the name of the domain.)
    CHECK(answered == most - 1);
    CHECK(Asked::mirrored_in(b.ask_of({"a.test"})).domains.size() == 1);
}

TEST_CASE("Domains whose servers are slow cost no more time than there is, and the rest is said") {
    Asked b;
    Asked::mirrored_in(b.ask_of({"a.test"}));
    b.link.sent.clear();
    b.dns->held = "slow";
    std::vector<std::string> names{"a.test"};
    for (int i = 0; i < 10; ++i)
        names.push_back(fmt::format("slow{}.test", i));
    b.begin(names);
    b.time.advance(MirrorReceiver::kLookTime - 1s);
    CHECK(b.link.sent.empty());
    CHECK(b.dns->waiting.size() == 4);
    b.time.advance(2s);
    REQUIRE(b.link.sent.size() == 1);
    const auto seen = Asked::mirrored_in(b.link.sent[0]);
    CHECK(seen.domains.at(0).standing == Standing::verified);
    for (std::size_t i = 1; i < seen.domains.size(); ++i)
        CHECK(seen.domains.at(i).standing == Standing::later);
    b.clock.advance(MirrorReceiver::kLookTime);
    b.dns->let_go();
    b.time.advance(2s);
    // Nobody would hear of the others.
    CHECK(b.dns->asked == 1 + 4);
    CHECK(b.link.sent.size() == 1);
    CHECK(b.receiver->holds() == 0);
}

TEST_CASE("While the first domain is slow, B says that it is busy") {
    Asked b;
    b.dns->held = "a.test";
    b.begin({"a.test"});
    b.time.advance(MirrorReceiver::kLookTime + 1s);
    REQUIRE(b.link.sent.size() == 1);
    CHECK(Asked::error_in(b.link.sent[0]).ours == "busy");
    b.dns->let_go();
    b.time.advance(2s);
    CHECK(b.link.sent.size() == 1);
}
