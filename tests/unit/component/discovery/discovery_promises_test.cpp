// b.test's component says in its form what it promises; who hears of it, and of what?
#include "component/discovery/discovery.hpp"
#include "component/discovery/refresher.hpp"
#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;

namespace {

struct Promising : World {
    Promising() {
        discovery->tell_of_promises(heard);
        link.settings_.assurance = Assurance::pkix;
        usual_peer();
        promises("mail.b.test", "b.test");
    }
    void promises(const std::string& jid, const std::string& name) {
        const std::string form = "</x></query>";
        std::string& info = infos.at(jid);
        const auto end = info.rfind(form);
        REQUIRE(end != std::string::npos);
        info.insert(end, "<field var='promise'><value>" + name +
                             "</value></field><field var='promise-until'><value>" + kUntil +
                             "</value></field>");
    }
    void look_up(const std::string& name) {
        support::run<bool>(io, [&]() -> base::Task<bool> {
            const Report report = co_await discovery->look_up(link, domain(name));
            co_return !report.steps.empty();
        });
    }
    const std::string kUntil = "2027-02-01T00:00:00Z";
    HeardPromises heard;
};

}  // namespace

TEST_CASE("what a form promises is heard each time that it is read, and over what link") {
    Promising world;
    world.find("b.test");
    REQUIRE(world.heard.read.size() == 1);
    CHECK(world.heard.read[0].domain == domain("b.test"));
    CHECK(world.heard.read[0].component == "mail.b.test");
    CHECK(world.heard.read[0].verified);
    CHECK(world.heard.read[0].until == base::parse_datetime(world.kUntil).value());
    CHECK_FALSE(world.heard.read[0].had_mail);
    world.find("b.test");
    CHECK(world.heard.read.size() == 1);  // from the cache
    world.discovery->received_from(domain("b.test"), {domain("a.test"), domain("a2.test")});
    CHECK(world.heard.verdicts == std::vector<std::string>{"b.test a.test", "b.test a2.test"});
    world.link.settings_.assurance = Assurance::dialback;
    world.look_up("b.test");
    REQUIRE(world.heard.read.size() == 2);
    CHECK_FALSE(world.heard.read[1].verified);
    CHECK(world.heard.read[1].had_mail);
    // Another component has had no verdict.
    world.name("b.test", {"post.b.test"});
    world.add_component("post.b.test", {"b.test"});
    world.look_up("b.test");
    REQUIRE(world.heard.read.size() == 3);
    CHECK(world.heard.read[2].component == "post.b.test");
    CHECK_FALSE(world.heard.read[2].had_mail);
}

TEST_CASE("a component promises for nobody but who has it speak for them") {
    Promising world;
    // It serves c.test, as it says, which c.test does not say.
    world.add_component("mail.b.test", {"b.test", "c.test"});
    world.promises("mail.b.test", "c.test");
    world.list("c.test", {});
    world.find("b.test");
    world.find("c.test");
    REQUIRE(world.heard.read.size() == 1);
    CHECK(world.heard.read[0].domain == domain("b.test"));
    CHECK_FALSE(world.heard.read[0].until);
}

TEST_CASE("a form without it, or a component that goes, takes it back; silence does not") {
    Promising world;
    world.find("b.test");
    SECTION("the form has none any more") {
        world.add_component("mail.b.test", {"b.test"});
    }
    SECTION("the component retires") {
        world.add_component("mail.b.test", {});
    }
    SECTION("the domain names another, which takes no mail") {
        world.name("b.test", {"other.b.test"});
    }
    SECTION("silence") {
        SECTION("the component does not answer") {
            world.infos["mail.b.test"] = "dead";
        }
        SECTION("it is not there") {
            world.list("b.test", {});
            world.infos.erase("mail.b.test");
        }
        SECTION("the DNS has no server") {
            world.dns->answers.clear();
        }
        SECTION("our own link is down") {
            world.link.up = false;
        }
        world.look_up("b.test");
        CHECK(world.heard.read.size() == 1);
        return;
    }
    world.look_up("b.test");
    REQUIRE(world.heard.read.size() == 2);
    CHECK(world.heard.read[1].domain == domain("b.test"));
    CHECK(world.heard.read[1].verified);
    CHECK_FALSE(world.heard.read[1].until);
}

TEST_CASE("what only a stranger has made us read is heard by nobody") {
    Promising world;
    CHECK(world.authorise("mail.evil.test", "b.test") == Authorisation::Answer::no);
    CHECK(world.heard.read.empty());
}
