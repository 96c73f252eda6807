#include "component/discovery.hpp"

#include "component/doubles.hpp"

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
    CHECK(world.discovery->known_components() == std::vector<std::string>{"mail.b.test"});
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
    world.io.run_for(100ms);
    CHECK(answers[Answer::no] == static_cast<int>(base::limits::kSenderLookups));
    CHECK(answers[Answer::unknown] == 80 - static_cast<int>(base::limits::kSenderLookups));
    // One alone cannot use up even the share of all senders.
    CHECK(world.authorise("mail.evil.test", "y.test") == Answer::no);
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
