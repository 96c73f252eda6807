// The other end of the control socket: what was mistyped is told apart from what can't be done.
#include "app/control_client.hpp"

#include <catch2/catch.hpp>

TEST_CASE("an answer says whether the request was understood") {
    const base::Error mistyped =
        app::refusal_in({{"ok", false}, {"error", "\"x\" is no age"}, {"not_understood", true}});
    CHECK(mistyped.code == base::Errc::syntax);
    CHECK(mistyped.text == "\"x\" is no age");
    const base::Error refused = app::refusal_in({{"ok", false}, {"error", "the daemon stops"}});
    CHECK(refused.code == base::Errc::refused);
    CHECK(refused.text == "the daemon stops");
}

TEST_CASE("an answer that makes no sense is a refusal") {
    const base::Error refused = app::refusal_in({{"error", 5}, {"not_understood", "yes"}});
    CHECK(refused.code == base::Errc::refused);
    CHECK(refused.text == "the daemon refused");
    CHECK(app::refusal_in({{"not_understood", false}}).code == base::Errc::refused);
}

TEST_CASE("the exit status tells a slip from a failure") {
    CHECK(app::complain(base::fail(base::Errc::syntax, "\"x\" is no age")) == 2);
    CHECK(app::complain(base::fail(base::Errc::refused, "it can't be done")) == 1);
    CHECK(app::complain(base::fail(base::Errc::io, "nobody answers")) == 1);
}
