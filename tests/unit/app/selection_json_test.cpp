#include "app/selection_json.hpp"

#include <catch2/catch.hpp>

using namespace app;

TEST_CASE("a filter without a value is refused, and does not mean all the mail there is") {
    const char* const key = GENERATE("state", "lane", "from", "to", "domain", "sender_domain",
                                     "older", "newer", "limit");
    const char* const value = GENERATE("", ",", " ");
    const auto selection = read_selection({{key, value}, {"all", true}}, base::TimePoint());
    REQUIRE_FALSE(selection);
    CHECK(selection.error().code == base::Errc::syntax);
}

TEST_CASE("what is named is what is meant") {
    const auto selection =
        read_selection({{"state", "queued,held"}, {"domain", "b.test"}}, base::TimePoint());
    REQUIRE(selection);
    CHECK(selection->states == std::vector{queue::State::queued, queue::State::held});
    CHECK(selection->domain == "b.test");
    CHECK_FALSE(selection->is_everything());
    const auto everything = read_selection({}, base::TimePoint());
    REQUIRE(everything);
    CHECK(everything->is_everything());
}
