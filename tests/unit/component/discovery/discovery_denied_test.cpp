#include "component/discovery/discovery.hpp"
#include "support/component/doubles.hpp"

using namespace doubles;
using namespace std::chrono_literals;
using State = Found::State;

// RFC 2782: the target "." says that there is decidedly no such service.
TEST_CASE("A domain whose DNS says twice in an hour that it has no server has retired") {
    World world;
    world.usual_peer();
    REQUIRE(world.find("b.test").state == State::supported);
    world.clock.advance(25h);
    const auto says = [&world](SrvAnswer answer) {
        world.dns->answers["b.test"] = answer;
        return world.find("b.test").state;
    };
    SECTION("not by one answer, and not by two at once") {
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(1min);
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(30min);
        CHECK(says(SrvAnswer::denied) == State::unsupported);
        CHECK(world.discovery->known(domain("b.test")) == queue::Route::smtp);
    }
    SECTION("a record that is merely missing is no such answer") {
        CHECK(says(SrvAnswer::absent) == State::down);
        world.clock.advance(1h);
        CHECK(says(SrvAnswer::absent) == State::down);
    }
    SECTION("another answer between them has it begin anew, silence has not") {
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(20min);
        CHECK(says(SrvAnswer::absent) == State::down);
        world.clock.advance(20min);
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(20min);
        CHECK(says(SrvAnswer::unknown) == State::down);
        world.clock.advance(20min);
        CHECK(says(SrvAnswer::denied) == State::unsupported);
    }
    SECTION("never where mail may not go by SMTP: who forges the DNS could push it there") {
        bool is_required = true;
        bool is_kept = false;
        world.discovery->require_if([&](const mail::Domain&) { return is_required; });
        world.discovery->keep_if([&](const mail::Domain&) { return is_kept; });
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(1h);
        CHECK(says(SrvAnswer::denied) == State::down);
        is_required = false;
        is_kept = true;
        world.clock.advance(1h);
        CHECK(says(SrvAnswer::denied) == State::down);
        is_kept = false;
        world.clock.advance(1h);
        CHECK(says(SrvAnswer::denied) == State::unsupported);
    }
    SECTION("one that is back is back") {
        CHECK(says(SrvAnswer::denied) == State::down);
        world.clock.advance(1min);
        CHECK(says(SrvAnswer::exists) == State::supported);
        world.clock.advance(25h);
        CHECK(says(SrvAnswer::denied) == State::down);
    }
}
