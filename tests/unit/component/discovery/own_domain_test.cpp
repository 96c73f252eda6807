// What we serve is no peer's, and what strangers say makes nobody one.
#include "component/discovery/own_domain.hpp"

#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;
using State = Found::State;
using Answer = Authorisation::Answer;
using Fault = OwnDomain::Fault;

namespace {

/// We are mail.a.test and serve a.test, and our server says so as any other does.
struct Ours : World {
    Ours() : World({"a.test", "mail.a.test"}) {
        list("a.test", {"mail.a.test", "rooms.a.test"});
        add_component("mail.a.test", {"a.test"});
    }
    /// Nothing is a route, on the disk or off it.
    void check_no_route() {
        CHECK(routes.xmpp_domains().empty());
        CHECK(discovery->routes(10).empty());
        CHECK(discovery->components(10).empty());
        CHECK(book.peers.empty());
    }
    OwnDomain look(const std::string& name) {
        return support::run<OwnDomain>(
            io, [&] { return look_at_own(link, *dns, domain(name), "mail.a.test"); });
    }
    bool drop(const std::string& name) {
        return support::run<bool>(io, [&] { return discovery->discard(domain(name)); });
    }
    void load_and_stop() {
        support::run<bool>(io, [&]() -> base::Task<bool> {
            const auto loaded = co_await discovery->load();
            co_await discovery->stop();
            co_return loaded.has_value();
        });
    }
};

}  // namespace

TEST_CASE("A domain of ours is no route, whoever asks for it") {
    Ours world;
    SECTION("mail") {
        CHECK(world.find("a.test").state == State::ours);
        CHECK(world.find("mail.a.test").state == State::ours);
        CHECK(world.link.asked.empty());
    }
    SECTION("a stranger") {
        CHECK(world.authorise("mail.evil.test", "a.test") == Answer::no);
        CHECK(world.authorise("mail.evil.test", "mail.a.test") == Answer::no);
    }
    SECTION("somebody else whom our own server names") {
        world.name("a.test", {"mail.a.test", "bulk.example"});
        world.add_component("bulk.example", {"a.test"});
        CHECK(world.authorise("bulk.example", "a.test") == Answer::yes);
        CHECK(world.authorise("mail.evil.test", "a.test") == Answer::no);
    }
    world.check_no_route();
    CHECK(world.discovery->known(domain("a.test")) == queue::Route::smtp);
}

TEST_CASE(
    "The administrator hears what others find of a domain of ours, and nothing is remembered") {
    Ours world;
    const auto own = world.look("a.test");
    CHECK(own.fault == Fault::none);
    CHECK(own.component == "mail.a.test");
    CHECK(own.steps.size() >= 3);
    world.check_no_route();
    const auto asked = world.link.asked.size();
    // Of what was asked, discovery knows nothing: a stranger's claim is looked into.
    CHECK(world.authorise("mail.evil.test", "a.test") == Answer::no);
    CHECK(world.link.asked.size() > asked);
}

TEST_CASE("What keeps others from finding our component, or from believing it, has a name") {
    Ours world;
    SECTION("the DNS") {
        world.dns->answers["a.test"] = SrvAnswer::absent;
        CHECK(world.look("a.test").fault == Fault::no_server);
        world.dns->answers["a.test"] = SrvAnswer::unknown;
        CHECK(world.look("a.test").fault == Fault::unknown);
    }
    SECTION("its server does not know the domain") {
        world.infos["a.test"] = "dead";
        CHECK(world.look("a.test").fault == Fault::unreachable);
        world.infos.erase("a.test");
        world.items["a.test"] = "dead";
        CHECK(world.look("a.test").fault == Fault::unreachable);
    }
    SECTION("the domain does not list it") {
        world.list("a.test", {"rooms.a.test"});
        CHECK(world.look("a.test").fault == Fault::unlisted);
    }
    SECTION("the domain names nobody") {
        world.name("a.test", {});
        CHECK(world.look("a.test").fault == Fault::unlisted);
    }
    SECTION("it is listed, and does not answer") {
        world.infos["mail.a.test"] = "dead";
        CHECK(world.look("a.test").fault == Fault::unlisted);
        CHECK(world.look("a.test").why == "mail.a.test does not answer");
    }
    SECTION("the domain names another one") {
        world.name("a.test", {"other.example"});
        world.add_component("other.example", {"a.test"});
        const auto own = world.look("a.test");
        CHECK(own.fault == Fault::other);
        CHECK(own.component == "other.example");
    }
    SECTION("two of ours claim it") {
        world.list("a.test", {"mail.a.test", "rooms.a.test"});
        world.add_component("rooms.a.test", {"a.test"});
        CHECK(world.look("a.test").fault == Fault::unlisted);
        CHECK(world.look("a.test").why.find("none is believed") != std::string::npos);
    }
    SECTION("nothing: the domain is its own component, whomever it names") {
        world.name("a.test", {"first.example"});
        world.add_component("first.example", {"a.test"});
        const auto own = support::run<OwnDomain>(world.io, [&] {
            return look_at_own(world.link, *world.dns, domain("a.test"), "a.test");
        });
        CHECK(own.fault == Fault::none);
        CHECK(own.component == "first.example");
    }
    SECTION("nothing: it is named, and another one takes the mail") {
        world.name("a.test", {"mail.a.test", "first.example"});
        world.add_component("first.example", {"a.test"});
        CHECK(world.look("a.test").fault == Fault::none);
        CHECK(world.look("a.test").component == "first.example");
    }
}

TEST_CASE("What only strangers ask for is not known") {
    Ours world;
    world.usual_peer();
    CHECK(world.authorise("rooms.b.test", "b.test") == Answer::no);
    CHECK(world.authorise("mail.evil.test", "b.test") == Answer::no);
    world.check_no_route();
    CHECK(world.discovery->known(domain("b.test")) == queue::Route::unknown);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::unknown);
    const auto asked = world.link.asked.size();
    CHECK(world.authorise("mail.evil.test", "b.test") == Answer::no);
    CHECK(world.link.asked.size() == asked);  // within the minute
    SECTION("then the domain's own component sends") {
        CHECK(world.authorise("mail.b.test", "b.test") == Answer::yes);
    }
    SECTION("then we have mail for it") {
        CHECK(world.find("b.test").state == State::supported);
    }
    CHECK(world.routes.xmpp_domains() == std::vector<std::string>{"b.test"});
    CHECK(world.discovery->routes(10).at(0).component == "mail.b.test");
}

TEST_CASE("Who joins a stranger's survey with a reason of their own gets its result") {
    Ours world;
    world.usual_peer();
    const std::string second = GENERATE("our mail", "its component");
    support::run<bool>(world.io, [&]() -> base::Task<bool> {
        const std::function<base::Task<void>(std::size_t)> ask =
            [&](std::size_t i) -> base::Task<void> {
            if (i == 0) {
                co_await world.discovery->authorise(world.link, "evil.test", domain("b.test"));
            } else if (second == "our mail") {
                const auto found = co_await world.discovery->find(world.link, domain("b.test"));
                CHECK(found.state == State::supported);
            } else {
                co_await world.discovery->authorise(world.link, "mail.b.test", domain("b.test"));
            }
        };
        co_await base::for_each(2, 2, ask);
        co_return true;
    });
    CHECK(world.dns->asked == 1);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
}

TEST_CASE("Nobody's component is ours") {
    Ours world;
    world.name("b2.test", {"mail.a.test"});  // which we don't serve
    const auto found = world.find("b2.test");
    CHECK(found.state == State::unsupported);
    CHECK(found.why.find("is ours") != std::string::npos);
    world.check_no_route();
}

TEST_CASE("A domain that moves to our own component is no peer's any more") {
    Ours world;
    world.usual_peer();
    CHECK(world.find("b.test").state == State::supported);
    world.name("b.test", {"mail.a.test"});
    world.clock.advance(25h);
    CHECK(world.find("b.test").state == State::unsupported);
    world.check_no_route();
}

TEST_CASE("What is ours by now is cleared at the start, from the book and the table") {
    Ours world;
    const auto now = world.clock.now();
    for (const auto& [name, component] :
         {std::pair("a.test", "mail.a.test"), std::pair("mail.a.test", "post.test"),
          std::pair("b2.test", "mail.a.test"), std::pair("b.test", "mail.b.test")})
        world.book.peers.insert_or_assign(name,
                                          queue::KnownPeer{domain(name), component, now, now});
    world.load_and_stop();
    CHECK(world.routes.xmpp_domains() == std::vector<std::string>{"b.test"});
    REQUIRE(world.book.peers.size() == 1);
    CHECK(world.book.peers.begin()->first == "b.test");
}

TEST_CASE("A route that is dropped is gone, until it is found anew") {
    Ours world;
    world.usual_peer();
    world.find("b.test");
    CHECK(world.drop("b.test"));
    CHECK_FALSE(world.drop("b.test"));
    world.check_no_route();
    CHECK(world.routes.find(domain("b.test")) == queue::Route::unknown);
    CHECK(world.find("b.test").state == State::supported);
    CHECK(world.book.peers.size() == 1);
}
