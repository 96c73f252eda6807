#include "app/setup/asker.hpp"

#include <sstream>

#include <catch2/catch.hpp>

TEST_CASE("an empty answer is yes, and what is no answer is asked again") {
    std::istringstream input("\nno\n Y \nperhaps\nn\n");
    app::Asker asker(input, false);
    CHECK(*asker.agrees("1?"));
    CHECK_FALSE(*asker.agrees("2?"));
    CHECK(*asker.agrees("3?"));
    CHECK_FALSE(*asker.agrees("4?"));
    const auto end = asker.agrees("5?");
    REQUIRE_FALSE(end);
    CHECK(end.error().code == base::Errc::closed);
}

TEST_CASE("a word is what was answered, or what was proposed") {
    std::istringstream input("\n  b.test \n\n");
    app::Asker asker(input, false);
    CHECK(*asker.word("domain?", "a.test") == "a.test");
    CHECK(*asker.word("domain?", "a.test") == "b.test");
    CHECK_FALSE(asker.word("domain?", ""));
}

TEST_CASE("with --yes nobody is asked, and what nobody proposes is missing") {
    std::istringstream input("no\n");
    app::Asker asker(input, true);
    CHECK(*asker.agrees("1?"));
    CHECK(*asker.word("domain?", "a.test") == "a.test");
    CHECK(asker.word("domain?", "").error().code == base::Errc::refused);
}
