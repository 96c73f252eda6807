#include "component/discovery/discovery.hpp"

#include "component/discovery/refresher.hpp"
#include "support/component/doubles.hpp"
#include "support/run_until.hpp"

using namespace doubles;
using namespace std::chrono_literals;
using State = Found::State;
using Answer = Authorisation::Answer;

TEST_CASE("b.test lists mail.b.test, which takes mail for it") {
    World world;
    world.usual_peer();
    const auto found = world.find("b.test");
    CHECK(found.state == State::supported);
    CHECK(found.component == "mail.b.test");
    CHECK(found.capability.dsn);
    CHECK(found.capability.max_stanza == 524288);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    CHECK(world.book.peers.at("b.test").component == "mail.b.test");
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::yes);
    CHECK(world.authorise("rooms.b.test", "b.test") == Answer::no);
    const auto asked = world.link.asked.size();
    world.find("b.test");
    CHECK(world.link.asked.size() == asked);  // from the cache
    CHECK(world.discovery->components(9) == std::vector<std::string>{"mail.b.test"});
    CHECK(world.discovery->knows("mail.b.test"));
}

TEST_CASE("A domain without SRV records is not dialled") {
    World world;
    CHECK(world.find("smtp.test").state == State::unsupported);
    CHECK(world.link.asked.empty());
    CHECK(world.routes.find(domain("smtp.test")) == queue::Route::smtp);
    world.find("smtp.test");
    CHECK(world.dns->asked == 1);
    world.clock.advance(61min);
    world.discovery->sweep();
    CHECK(world.routes.find(domain("smtp.test")) == queue::Route::unknown);
    world.usual_peer();
    world.clock.advance(1h);
    CHECK(world.find("b.test").state == State::supported);
}

TEST_CASE("A component counts only with the domain's word and its own") {
    World world;
    SECTION("it claims a domain that does not list it") {
        world.list("b.test", {"rooms.b.test"});
        world.add_component("mail.b.test", {"b.test"});
        CHECK(world.find("b.test").state == State::unsupported);
        CHECK(world.authorise("mail.b.test", "b.test") == Answer::no);
    }
    SECTION("it is listed, but claims another domain") {
        world.list("b.test", {"mail.b.test"});
        world.add_component("mail.b.test", {"c.test"});
        CHECK(world.find("b.test").state == State::unsupported);
        CHECK(world.authorise("mail.b.test", "b.test") == Answer::no);
    }
    SECTION("it is listed and claims, but is no subdomain") {
        world.list("b.test", {"mail.evil.test"});
        world.add_component("mail.evil.test", {"b.test"});
        CHECK(world.find("b.test").state == State::unsupported);
        CHECK(world.authorise("mail.evil.test", "b.test") == Answer::no);
    }
    SECTION("the domain names another: that field alone decides") {
        world.list("b.test", {"mail.b.test"});
        world.add_component("mail.b.test", {"b.test"});
        world.add_component("post.example", {"b.test"});
        world.name("b.test", {"post.example"});
        CHECK(world.find("b.test").component == "post.example");
        CHECK(world.authorise("post.example", "b.test") == Answer::yes);
        CHECK(world.authorise("mail.b.test", "b.test") == Answer::no);
    }
    SECTION("the domain is the component") {
        CHECK(world.authorise("c.test", "c.test") == Answer::yes);
        world.list("c.test", {});
        world.add_component("c.test", {"c.test"});
        CHECK(world.find("c.test").component == "c.test");
    }
}

TEST_CASE("Of two children that claim the domain, the one known earlier is kept") {
    World world;
    world.usual_peer();
    CHECK(world.find("b.test").component == "mail.b.test");
    world.list("b.test", {"aaa.b.test", "mail.b.test"});
    world.add_component("aaa.b.test", {"b.test"});
    world.clock.advance(25h);
    CHECK(world.find("b.test").component == "mail.b.test");
    CHECK(world.authorise("aaa.b.test", "b.test") == Answer::no);
}

TEST_CASE("A peer that was there is down, not gone; one that retires is gone at once") {
    World world;
    world.usual_peer();
    world.find("b.test");
    world.clock.advance(25h);
    SECTION("it does not answer") {
        world.infos["mail.b.test"] = "dead";
    }
    SECTION("it is not listed any more") {
        world.list("b.test", {});
        world.infos.erase("mail.b.test");
    }
    SECTION("the DNS has forgotten it") {
        world.dns->answers.clear();
    }
    SECTION("the DNS does not answer") {
        world.dns->answers["b.test"] = SrvAnswer::unknown;
    }
    SECTION("it retires") {
        world.add_component("mail.b.test", {});
        CHECK(world.find("b.test").state == State::unsupported);
        CHECK(world.routes.find(domain("b.test")) == queue::Route::smtp);
        CHECK(world.book.peers.empty());
        return;
    }
    CHECK(world.find("b.test").state == State::down);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    world.clock.advance(30h);
    CHECK(world.find("b.test").state == State::down);
    world.usual_peer();
    world.clock.advance(2min);
    CHECK(world.find("b.test").state == State::supported);
}

TEST_CASE("A peer that gives a sign of life is asked again at once, in both directions") {
    World world;
    world.usual_peer();
    world.find("b.test");
    world.clock.advance(25h);
    world.infos["mail.b.test"] = "dead";
    CHECK(world.find("b.test").state == State::down);
    world.usual_peer();
    CHECK(world.find("b.test").state == State::down);
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::unknown);
    SECTION("its presence") {
        world.discovery->seen("other.b.test");
        CHECK(world.find("b.test").state == State::down);
        world.discovery->seen("mail.b.test");
        CHECK(world.find("b.test").state == State::supported);
    }
    SECTION("its mail") {
        world.clock.advance(1s);
        CHECK(world.authorise("mail.b.test", "b.test") == Answer::yes);
        CHECK(world.find("b.test").state == State::supported);
    }
}

TEST_CASE("A restart does not forget a peer") {
    World world;
    const auto now = world.clock.now();
    world.book.peers.insert_or_assign("b.test",
                                      queue::KnownPeer{domain("b.test"), "mail.b.test", now, now});
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        const auto loaded = co_await world.discovery->load();
        co_return loaded.has_value();
    });
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    CHECK(world.find("b.test").state == State::down);
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        co_await world.discovery->stop();
        co_return true;
    });
}

TEST_CASE("Authority that cannot be verified now is not denied") {
    World world;
    world.usual_peer();
    SECTION("the server") {
        world.infos["b.test"] = "dead";
    }
    SECTION("the component") {
        world.infos["mail.b.test"] = "dead";
    }
    SECTION("the DNS") {
        world.dns->answers["b.test"] = SrvAnswer::unknown;
    }
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::unknown);
    world.infos.clear();
    world.usual_peer();
    world.clock.advance(61s);
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::yes);
}

TEST_CASE("A peer that starts later is refused for a minute, not for an hour") {
    World world;
    world.list("b.test", {"mail.b.test"});
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::no);
    world.add_component("mail.b.test", {"b.test"});
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::no);
    world.clock.advance(61s);
    CHECK(world.authorise("mail.b.test", "b.test") == Answer::yes);
}

TEST_CASE("Ten questions at the same time are one survey") {
    World world;
    world.usual_peer();
    const auto states = support::run<int>(world.io, [&]() -> base::Task<int> {
        int supported = 0;
        const std::function<base::Task<void>(std::size_t)> ask =
            [&](std::size_t) -> base::Task<void> {
            const auto found = co_await world.discovery->find(world.link, domain("b.test"));
            supported += found.state == State::supported ? 1 : 0;
        };
        co_await base::for_each(10, 10, ask);
        co_return supported;
    });
    CHECK(states == 10);
    CHECK(world.dns->asked == 1);
}

TEST_CASE("What strangers claim leaves look-ups for our own mail") {
    World world;
    world.usual_peer();
    std::map<Answer, int> answers;
    const auto found = support::run<Found>(world.io, [&]() -> base::Task<Found> {
        for (int i = 0; i < 80; ++i) {
            const auto name = domain(fmt::format("x{}.test", i));
            const std::string jid = i < 40 ? "mail.evil.test" : fmt::format("mail.evil{}.test", i);
            world.dns->answers[name.ascii()] = SrvAnswer::exists;
            base::spawn(world.io.get_executor(), "claim", [&, name, jid]() -> base::Task<void> {
                const auto given = co_await world.discovery->authorise(world.link, jid, name);
                ++answers[given.answer];
            });
        }
        co_await base::sleep_for(0ms);
        co_return co_await world.discovery->find(world.link, domain("b.test"));
    });
    CHECK(found.state == State::supported);
    world.time.advance(100ms);
    CHECK(answers[Answer::no] == static_cast<int>(base::limits::kStrangerLookups));
    CHECK(answers[Answer::unknown] == 80 - static_cast<int>(base::limits::kStrangerLookups));
    // One alone cannot use up even the share of all senders.
    CHECK(world.authorise("mail.evil.test", "y.test") == Answer::no);
}

TEST_CASE("Mail waits for its look-up behind those of peers that are out, and new mail does not") {
    World world;
    world.usual_peer();
    world.dns->held = "dead";
    std::vector<State> found;
    const auto look = [&](const std::string& name, Discovery::Reason reason) {
        base::spawn(world.io.get_executor(), "look", [&, name, reason]() -> base::Task<void> {
            const auto of = co_await world.discovery->find(world.link, domain(name), reason);
            found.push_back(of.state);
        });
    };
    constexpr std::size_t kDead = 100;
    for (std::size_t i = 0; i < kDead; ++i) {
        world.dns->answers[fmt::format("dead{}.test", i)] = SrvAnswer::absent;
        look(fmt::format("dead{}.test", i), Discovery::Reason::waiting_mail);
    }
    look("b.test", Discovery::Reason::new_mail);
    support::run_until(world.io, [&] { return !found.empty(); });
    CHECK(found == std::vector<State>{State::supported});
    CHECK(world.dns->waiting.size() == base::limits::kOwnLookups * 3 / 5);
    world.dns->let_go();
    support::run_until(world.io, [&] { return found.size() == kDead + 1; });
    CHECK(std::ranges::count(found, State::unsupported) == kDead);
    CHECK(world.dns->asked == kDead + 1);
    CHECK(world.discovery->holds() == 0);
}

TEST_CASE("However many names one attacker has, an honest first mail is looked up at once") {
    World world;
    world.usual_peer();
    world.link.takes = 20ms;
    int evil = 0;
    const auto given = support::run<Authorisation>(world.io, [&]() -> base::Task<Authorisation> {
        for (int i = 0; i < 80; ++i) {
            const auto name = domain(fmt::format("claimed{}.test", i));
            const std::string jid = fmt::format("x{}.evil.test", i % 5);
            world.dns->answers[name.ascii()] = SrvAnswer::exists;
            base::spawn(world.io.get_executor(), "claim", [&, name, jid]() -> base::Task<void> {
                const auto answer = co_await world.discovery->authorise(world.link, jid, name);
                evil += answer.answer == Answer::no ? 1 : 0;
            });
        }
        co_await base::sleep_for(0ms);
        const mail::Domain name = domain("b.test");
        const std::string jid = "mail.b.test";
        co_return co_await world.discovery->authorise(world.link, jid, name);
    });
    CHECK(given.answer == Answer::yes);
    support::run_until(world.io, [&] { return world.discovery->holds() == 0; });
    CHECK(evil == 8);
}

TEST_CASE("A peer that comes back has its domains looked at one by one") {
    World world;
    const int count = 200;
    std::vector<std::string> served;
    for (int i = 0; i < count; ++i)
        served.push_back(fmt::format("d{}.test", i));
    world.add_component("mail.host.test", served);
    for (const auto& name : served) {
        world.name(name, {"mail.host.test"});
        world.find(name);
    }
    Refresher refresher(world.io.get_executor(), *world.discovery);
    world.add_component("mail.host.test", {});
    world.discovery->seen("mail.host.test");
    std::size_t most = 0;
    refresher.look_at(world.link, "mail.host.test");
    refresher.look_at(world.link, "mail.stranger.test");
    support::run_until(world.io, [&] {
        most = std::max(most, world.discovery->holds());
        return refresher.under_way() == 0;
    });
    CHECK(most <= 2);  // a survey, and who waits for it
    for (const auto& name : served)
        CHECK(world.routes.find(domain(name)) == queue::Route::smtp);
    CHECK_FALSE(world.discovery->knows("mail.host.test"));
    CHECK(world.book.peers.empty());
}

TEST_CASE("Two children claim, and none is known: mail goes by SMTP, and check says why") {
    World world;
    world.list("b.test", {"aaa.b.test", "mail.b.test"});
    world.add_component("aaa.b.test", {"b.test"});
    world.add_component("mail.b.test", {"b.test"});
    const auto report = support::run<Report>(
        world.io, [&] { return world.discovery->look_up(world.link, domain("b.test")); });
    CHECK(report.found.state == State::unsupported);
    CHECK(report.found.disputed);
    CHECK(report.found.why.find("aaa.b.test, mail.b.test all claim b.test") == 0);
    CHECK(report.steps.back() == report.found.why);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::smtp);
    for (const char* jid : {"aaa.b.test", "mail.b.test"})
        CHECK(world.authorise(jid, "b.test") == Answer::no);
    world.name("b.test", {"mail.b.test"});
    world.clock.advance(2h);
    CHECK(world.find("b.test").component == "mail.b.test");
}

TEST_CASE("A sibling does not take the place of one that is down, unless that stays so for days") {
    World world;
    world.usual_peer();
    CHECK(world.find("b.test").component == "mail.b.test");
    world.infos["mail.b.test"] = "dead";
    world.list("b.test", {"aaa.b.test"});
    world.add_component("aaa.b.test", {"b.test"});
    world.clock.advance(25h);
    const auto down = world.find("b.test");
    CHECK(down.state == State::down);
    CHECK(down.component == "mail.b.test");
    CHECK(down.why.find("aaa.b.test claims b.test, too") != std::string::npos);
    CHECK(world.authorise("aaa.b.test", "b.test") != Answer::yes);
    SECTION("it comes back") {
        world.add_component("mail.b.test", {"b.test"});
        world.list("b.test", {"aaa.b.test", "mail.b.test"});
        world.clock.advance(1h);
        CHECK(world.find("b.test").component == "mail.b.test");
        CHECK(world.find("b.test").state == State::supported);
    }
    SECTION("it does not") {
        world.clock.advance(73h);
        const auto gone = world.find("b.test");
        CHECK(gone.state == State::unsupported);
        CHECK(gone.why.find("mail.b.test is gone") == 0);
        world.clock.advance(2h);
        CHECK(world.find("b.test").component == "aaa.b.test");
    }
}

TEST_CASE("All names below one domain get a bounded part of the peer book") {
    World world;
    world.usual_peer();
    world.find("b.test");
    world.discovery->sent_to(domain("b.test"));
    std::vector<std::string> served;
    for (int i = 0; i < 1200; ++i)
        served.push_back(fmt::format("x{}.evil.test", i));
    world.add_component("mail.evil.test", served);
    for (const auto& name : served) {
        world.name(name, {"mail.evil.test"});
        world.find(name);
    }
    CHECK(world.book.peers.size() == 1001);
    CHECK(world.book.peers.contains("b.test"));
    CHECK(world.routes.find(domain("x0.evil.test")) == queue::Route::unknown);
    // Nobody wrote to them: they age.
    world.clock.advance(24h * 8);
    world.discovery->sweep();
    CHECK_FALSE(world.discovery->knows("mail.evil.test"));
    CHECK(world.discovery->knows("mail.b.test"));
    CHECK(world.discovery->components(9) == std::vector<std::string>{"mail.b.test"});
}

TEST_CASE("A book of any size is read in steps, and the start is over soon") {
    World world;
    const auto now = world.clock.now();
    for (std::size_t i = 0; i < base::limits::kKnownPeers + 2000; ++i) {
        const std::string name = fmt::format("d{}.test", i);
        world.book.peers.insert_or_assign(
            name, queue::KnownPeer{domain(name), "mail.host.test", now, now, {}, {}});
    }
    world.book.peers.insert_or_assign(
        "b.test", queue::KnownPeer{domain("b.test"), "mail.b.test", now, now, now, {}});
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        const auto loaded = co_await world.discovery->load();
        co_return loaded.has_value();
    });
    CHECK(world.book.largest_step <= 1000);
    CHECK(world.routes.size() == base::limits::kKnownPeers);
    CHECK(world.discovery->is_correspondent("mail.b.test"));
    CHECK(world.discovery->components(1) == std::vector<std::string>{"mail.b.test"});
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        co_await world.discovery->stop();
        co_return true;
    });
    CHECK(world.book.peers.size() == base::limits::kKnownPeers);
}

TEST_CASE("When mail was exchanged is remembered, and written down once a day") {
    World world;
    world.usual_peer();
    world.find("b.test");
    const auto settle = [&] {
        support::run_until(world.io, [&] { return world.discovery->holds() == 0; });
    };
    CHECK_FALSE(world.discovery->is_correspondent("mail.b.test"));
    world.discovery->received_from(domain("b.test"), {domain("a.test")});
    settle();
    CHECK(world.book.peers.at("b.test").received == world.clock.now());
    CHECK_FALSE(world.discovery->is_correspondent("mail.b.test"));
    world.discovery->sent_to(domain("b.test"));
    world.discovery->sent_to(domain("smtp.test"));
    settle();
    const auto first = world.clock.now();
    CHECK(world.book.peers.at("b.test").sent == first);
    CHECK(world.discovery->is_correspondent("mail.b.test"));
    world.clock.advance(1h);
    world.discovery->sent_to(domain("b.test"));
    settle();
    CHECK(world.book.peers.at("b.test").sent == first);
    world.clock.advance(24h);
    world.discovery->sent_to(domain("b.test"));
    settle();
    CHECK(world.book.peers.at("b.test").sent > first);
    CHECK(world.book.peers.size() == 1);
}

TEST_CASE(
    "Another component for a domain is another peer: what was known of the old one is not its "
    "own") {
    World world;
    world.name("b.test", {"mail.b.test"});
    world.add_component("mail.b.test", {"b.test"});
    REQUIRE(world.find("b.test").component == "mail.b.test");
    const auto first = world.clock.now();
    world.discovery->sent_to(domain("b.test"));
    CHECK(world.discovery->is_correspondent("mail.b.test"));
    world.clock.advance(25h);
    world.name("b.test", {"post.b.test"});
    world.add_component("post.b.test", {"b.test"});
    REQUIRE(world.find("b.test").component == "post.b.test");
    CHECK_FALSE(world.discovery->is_correspondent("post.b.test"));
    REQUIRE(world.discovery->routes(9).size() == 1);
    CHECK(world.discovery->routes(9)[0].first_seen > first);
}

TEST_CASE("Whose component has given us a verdict is told, and what is kept is never given up") {
    World world;
    std::map<std::string, std::string> bonds;
    world.discovery->on_bond(
        [&](const mail::Domain& name, const std::string& peer) { bonds[name.ascii()] = peer; });
    bool is_kept = true;
    world.discovery->keep_if(
        [&](const mail::Domain& name) { return is_kept && name.ascii() == "b.test"; });
    world.list("b.test", {"mail.b.test"});
    world.list("b2.test", {"mail.b2.test"});
    world.name("b2.test", {"mail.b.test"});
    world.add_component("mail.b.test", {"b.test", "b2.test"});
    world.find("b.test");
    world.find("b2.test");
    CHECK(bonds["b.test"].empty());
    world.discovery->sent_to(domain("b.test"));
    CHECK(bonds["b.test"] == "mail.b.test");
    CHECK(bonds["b2.test"] == "mail.b.test");  // of the same component

    world.dns->answers["b.test"] = SrvAnswer::absent;
    world.clock.advance(25h);
    CHECK(world.find("b.test").state == State::down);
    world.clock.advance(24h * 10);
    CHECK(world.find("b.test").state == State::down);
    CHECK(bonds["b.test"] == "mail.b.test");
    is_kept = false;
    world.clock.advance(1h);
    CHECK(world.find("b.test").state == State::unsupported);
    CHECK(bonds["b.test"].empty());

    // A component that says that it retires is believed, whatever is kept.
    is_kept = true;
    world.usual_peer();
    world.clock.advance(25h);
    world.find("b.test");
    world.discovery->sent_to(domain("b.test"));
    world.add_component("mail.b.test", {});
    world.clock.advance(25h);
    CHECK(world.find("b.test").state == State::unsupported);
    CHECK(bonds["b.test"].empty());
}

TEST_CASE("A domain that has had mail stays bound when it moves to another component") {
    World world;
    std::map<std::string, std::string> bonds;
    world.discovery->on_bond(
        [&](const mail::Domain& name, const std::string& peer) { bonds[name.ascii()] = peer; });
    for (const std::string name : {"b.test", "c.test"})
        world.name(name, {"mail.b.test"});
    world.add_component("mail.b.test", {"b.test", "c.test"});
    world.find("b.test");
    world.find("c.test");
    world.discovery->sent_to(domain("b.test"));
    for (const std::string component : {"post.b.test", "new.b.test"}) {
        world.clock.advance(25h);
        world.name("b.test", {component});
        world.add_component(component, {"b.test"});
        REQUIRE(world.find("b.test").component == component);
        CHECK(bonds["b.test"] == component);
        CHECK_FALSE(world.discovery->is_correspondent(component));
    }
    // One that says that it retires is believed, and nothing is left of what was before.
    world.add_component("new.b.test", {});
    world.clock.advance(25h);
    REQUIRE(world.find("b.test").state == State::unsupported);
    CHECK(bonds["b.test"].empty());
    world.add_component("new.b.test", {"b.test"});
    world.clock.advance(2h);
    REQUIRE(world.find("b.test").component == "new.b.test");
    CHECK(bonds["b.test"].empty());
}

TEST_CASE("A restart binds all domains of who has had mail, in whatever order they are read") {
    World world;
    const auto now = world.clock.now();
    const auto remembered = [&](const std::string& name, const std::string& component,
                                base::TimePoint sent) {
        world.book.peers.insert_or_assign(
            name, queue::KnownPeer{domain(name), component, now, now, sent, {}});
    };
    remembered("a.b.test", "mail.b.test", {});
    remembered("z.b.test", "mail.b.test", now);
    remembered("c.test", "mail.c.test", {});
    std::map<std::string, std::string> bonds;
    world.discovery->on_bond(
        [&](const mail::Domain& name, const std::string& peer) { bonds[name.ascii()] = peer; });
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        const auto loaded = co_await world.discovery->load();
        co_await world.discovery->stop();
        co_return loaded.has_value();
    });
    CHECK(bonds["a.b.test"] == "mail.b.test");
    CHECK(bonds["z.b.test"] == "mail.b.test");
    CHECK(bonds["c.test"].empty());
}

TEST_CASE("A peer is down since it was first found so, however often it is asked again") {
    World world;
    world.usual_peer();
    REQUIRE(world.find("b.test").state == State::supported);
    world.infos["mail.b.test"] = "dead";
    world.clock.advance(25h);
    const auto since = world.find("b.test").down_since;
    REQUIRE(since);
    for (int i = 0; i < 3; ++i) {
        world.clock.advance(1h);
        const auto found = world.find("b.test");
        CHECK(found.state == State::down);
        CHECK(found.down_since == since);
    }
}

TEST_CASE("What is known ages by the time that passes, and not by a clock that is set") {
    for (const auto by : {24h * 365, -24h * 365}) {
        World world;
        base::ClockTrust trust(world.clock, std::nullopt);
        world.discovery->forget_by(trust);
        world.usual_peer();
        REQUIRE(world.find("b.test").state == State::supported);
        world.clock.jump(by);
        const auto asked = world.link.asked.size();
        world.discovery->sweep();  // nobody has written to it yet
        world.find("b.test");
        CHECK(world.link.asked.size() == asked);
        CHECK(world.discovery->knows("mail.b.test"));
        world.clock.advance(25h);
        world.find("b.test");
        CHECK(world.link.asked.size() > asked);
    }
}

TEST_CASE("check tells each step, and does not believe the cache") {
    World world;
    CHECK(world.find("b.test").state == State::unsupported);
    world.usual_peer();
    const auto report = support::run<Report>(
        world.io, [&] { return world.discovery->look_up(world.link, domain("b.test")); });
    CHECK(report.found.state == State::supported);
    CHECK(report.steps.size() >= 5);
}

TEST_CASE("Our own dead link says nothing of a domain") {
    World world;
    world.link.up = false;
    const auto found = world.find("b.test");
    CHECK(found.state == State::down);
    CHECK(found.why.find("mail.a.test") != std::string::npos);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::unknown);
}

namespace {

const std::string kBuecher =
    "b\xC3\xBC"
    "cher.test";

/// Its server knows it in U-labels, as RFC 7622 wants it, and answers for no other spelling.
void add_buecher(World& world) {
    world.list(kBuecher, {"mail." + kBuecher});
    world.dns->answers = {{"xn--bcher-kva.test", SrvAnswer::exists}};
    world.add_component("mail." + kBuecher, {kBuecher});
}

}  // namespace

TEST_CASE("an internationalised domain is asked in U-labels, and found") {
    World world;
    add_buecher(world);
    const auto found = world.find("xn--bcher-kva.test");
    CHECK(found.state == State::supported);
    CHECK(found.component == "mail." + kBuecher);
    for (const auto& asked : world.link.asked)
        CHECK(asked.to.find("xn--") == std::string::npos);
    CHECK(world.routes.xmpp_domains() == std::vector<std::string>{"xn--bcher-kva.test"});
    CHECK(world.book.peers.at("xn--bcher-kva.test").component == "mail." + kBuecher);
    CHECK(world.discovery->knows("mail." + kBuecher));
}

TEST_CASE("who speaks for an internationalised domain is believed, and nobody else") {
    World world;
    add_buecher(world);
    CHECK(world.authorise(kBuecher, "xn--bcher-kva.test") == Answer::yes);
    CHECK(world.link.asked.empty());  // it is the domain itself
    CHECK(world.authorise("mail." + kBuecher, kBuecher) == Answer::yes);
    CHECK(world.authorise("mail.evil.test", kBuecher) == Answer::no);
}

TEST_CASE("a domain's own words count in either spelling, and so does what is ours") {
    World world({"a.test", "mail.xn--bcher-kva.test"});
    world.name("b.test", {"mail.xn--bchse-kva.test"});
    world.add_component(
        "mail.b\xC3\xBC"
        "chse.test",
        {"b.test"});
    CHECK(world.find("b.test").component ==
          "mail.b\xC3\xBC"
          "chse.test");
    for (const std::string ours : {"mail.xn--bcher-kva.test",
                                   "mail.b\xC3\xBC"
                                   "cher.test"}) {
        world.name("c.test", {ours});
        world.add_component("mail." + kBuecher, {"c.test"});
        CHECK(world.find("c.test").why.find("is ours") != std::string::npos);
        world.clock.advance(std::chrono::hours(2));
    }
}
