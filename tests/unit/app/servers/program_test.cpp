#include "app/servers/program.hpp"

#include <catch2/catch.hpp>

using app::run_program;

TEST_CASE("a program's words come back, with its status") {
    const auto said = run_program({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
    REQUIRE(said);
    CHECK(said->status == 3);
    CHECK(said->output == "out\nerr\n");
}

TEST_CASE("no shell reads its arguments, and it gets neither input nor our environment") {
    const auto said = run_program({"/bin/echo", "$(id); `id` \"*\"\n "});
    REQUIRE(said);
    CHECK(said->output == "$(id); `id` \"*\"\n \n");
    const auto input = run_program({"/bin/cat"});
    REQUIRE(input);
    CHECK(input->output.empty());
    const auto environment = run_program({"/usr/bin/env"});
    REQUIRE(environment);
    CHECK(environment->output == "PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n");
}

TEST_CASE("it runs in a folder in which nobody can put something in its way") {
    const auto said = run_program({"/bin/pwd"});
    REQUIRE(said);
    CHECK(said->output == "/\n");
}

TEST_CASE("one that goes on when nobody listens any more is ended") {
    const auto deaf = run_program(
        {"/bin/sh", "-c", "trap '' PIPE; while :; do echo 0123456789012345678901234567890; done"});
    REQUIRE_FALSE(deaf);
    CHECK(deaf.error().code == base::Errc::limit);
}

TEST_CASE("one that does not exist, says too much, or dies is an error") {
    const auto missing = run_program({"/no/such/program"});
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == base::Errc::io);
    // It would never end by itself.
    const auto endless = run_program({"/usr/bin/yes"});
    REQUIRE_FALSE(endless);
    CHECK(endless.error().code == base::Errc::limit);
    const auto killed = run_program({"/bin/sh", "-c", "kill -9 $$"});
    REQUIRE_FALSE(killed);
    CHECK(killed.error().code == base::Errc::io);
}
