// FormerPeers, and what Discovery makes of the sign of life of one who is no known component.
#include "component/discovery/former_peers.hpp"

#include "component/discovery/refresher.hpp"
#include "support/component/doubles.hpp"
#include "support/run_until.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

/// b.test, which is known to take mail over XMPP.
struct Peer : World {
    Peer() {
        usual_peer();
        REQUIRE(find("b.test").state == Found::State::supported);
    }
    void retires() {
        add_component("mail.b.test", {});
        is_back("mail.b.test");
        REQUIRE(routes.find(domain("b.test")) == queue::Route::smtp);
    }
    /// Its presence comes, as the daemon handles it.
    void is_back(const std::string& component) {
        discovery->seen(component);
        refresher.look_at(link, component);
        support::run_until(io, [&] { return refresher.under_way() == 0; });
    }
    Refresher refresher{io.get_executor(), *discovery};
};

}  // namespace

TEST_CASE("A component that left is remembered with its domains; the oldest of many give way") {
    FormerPeers former;
    const base::SteadyPoint now{1'800'000'000s};
    former.left("mail.b.test", domain("b.test"), now);
    former.left("mail.b.test", domain("a.b.test"), now + 1s);
    CHECK(former.domains_of("mail.b.test") ==
          std::vector<mail::Domain>{domain("a.b.test"), domain("b.test")});
    former.returned(domain("b.test"));
    former.returned(domain("unheard.of.test"));
    CHECK(former.domains_of("mail.b.test") == std::vector<mail::Domain>{domain("a.b.test")});
    former.left("post.b.test", domain("a.b.test"), now + 2s);
    CHECK_FALSE(former.knows("mail.b.test"));
    for (int i = 0; i < 5000; ++i)
        former.left("mail.host.test", domain(fmt::format("d{}.test", i)), now + 3s);
    CHECK(former.size() == 5000);
    CHECK_FALSE(former.knows("post.b.test"));
    CHECK(former.domains_of("mail.host.test").size() == 5000);
}

TEST_CASE("That a domain takes no mail any more is told once, and after it stands in the table") {
    Peer world;
    int told = 0;
    world.discovery->on_departure([&](const mail::Domain& gone) {
        CHECK(gone == domain("b.test"));
        CHECK(world.routes.find(gone) == queue::Route::smtp);
        ++told;
    });
    world.is_back("mail.b.test");
    CHECK(told == 0);
    world.retires();
    CHECK(told == 1);
    world.clock.advance(26h);
    world.find("b.test");
    world.list("c.test", {});
    world.find("c.test");
    CHECK(told == 1);
}

TEST_CASE("A component that retired and says that it is back is asked at once") {
    Peer world;
    world.retires();
    CHECK_FALSE(world.discovery->knows("mail.b.test"));
    CHECK(world.discovery->heeds("mail.b.test"));
    world.add_component("mail.b.test", {"b.test"});
    world.is_back("mail.b.test");
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    CHECK(world.discovery->knows("mail.b.test"));
    CHECK(world.find("b.test").component == "mail.b.test");
    // Nothing is left of it.
    CHECK(world.discovery->may_return("mail.b.test").empty());
}

TEST_CASE("So is one whose negative answer is forgotten by now, and one that is no subdomain") {
    Peer world;
    world.name("other.test", {"mail.b.test"});
    world.add_component("mail.b.test", {"b.test", "other.test"});
    REQUIRE(world.find("other.test").state == Found::State::supported);
    world.retires();
    CHECK(world.routes.find(domain("other.test")) == queue::Route::smtp);
    world.clock.advance(26h);
    world.discovery->sweep();
    CHECK(world.routes.find(domain("b.test")) == queue::Route::unknown);
    world.add_component("mail.b.test", {"b.test", "other.test"});
    world.is_back("mail.b.test");
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    CHECK(world.routes.find(domain("other.test")) == queue::Route::xmpp);
}

TEST_CASE("A component under another name is asked for the domain that it is below") {
    Peer world;
    world.retires();
    world.list("b.test", {"mail.b.test", "post.b.test"});
    world.add_component("post.b.test", {"b.test"});
    world.is_back("post.b.test");
    CHECK(world.routes.find(domain("b.test")) == queue::Route::xmpp);
    CHECK(world.find("b.test").component == "post.b.test");
}

TEST_CASE("A domain that had none, and has a component now, is asked at its sign of life") {
    World world;
    world.list("c.test", {});
    REQUIRE(world.find("c.test").state == Found::State::unsupported);
    world.list("c.test", {"mail.c.test"});
    world.add_component("mail.c.test", {"c.test"});
    Refresher refresher(world.io.get_executor(), *world.discovery);
    refresher.look_at(world.link, "mail.c.test");
    support::run_until(world.io, [&] { return refresher.under_way() == 0; });
    CHECK(world.routes.find(domain("c.test")) == queue::Route::xmpp);
}

TEST_CASE("Whom nobody asked for, a stranger's sign of life makes nobody ask for") {
    World world({"a.test", "mail.a.test"});
    world.usual_peer();
    Refresher refresher(world.io.get_executor(), *world.discovery);
    // Unknown; ours; an organisation of its own below a public suffix; and no name at all.
    for (const auto* name : {"mail.b.test", "x.mail.a.test", "mail.a.test", "a.test", "b.co.uk",
                             "co.uk", "[127.0.0.1]", "x y"}) {
        CHECK_FALSE(world.discovery->heeds(name));
        refresher.look_at(world.link, name);
    }
    // Only others' talk.
    const auto denied = world.authorise("mail.evil.test", "b.test");
    CHECK(denied == Authorisation::Answer::no);
    const auto asked = world.link.asked.size();
    CHECK_FALSE(world.discovery->heeds("mail.b.test"));
    refresher.look_at(world.link, "mail.b.test");
    support::run_until(world.io, [&] { return refresher.under_way() == 0; });
    CHECK(world.link.asked.size() == asked);
    CHECK(world.routes.find(domain("b.test")) == queue::Route::unknown);
}
