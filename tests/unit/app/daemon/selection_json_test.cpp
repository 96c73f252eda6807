#include "app/daemon/selection_json.hpp"

#include "base/limits.hpp"

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

TEST_CASE("a value that is none is refused, and never stands for something else") {
    const auto [key, value] = GENERATE(table<const char*, const char*>({
        {"state", "waiting"},
        {"state", "queued,waiting"},
        {"state", "waiting,queued"},
        {"lane", "smtp"},
        {"from", "alice"},
        {"to", "b.test"},
        {"domain", "a@b.test"},
        {"sender_domain", "a b"},
        {"older", "5 parsecs"},
        {"newer", "0s"},
    }));
    CAPTURE(key, value);
    const auto selection = read_selection({{key, value}}, base::TimePoint());
    REQUIRE_FALSE(selection);
    CHECK(selection.error().code == base::Errc::syntax);
}

TEST_CASE("nothing is older and newer than the same at once") {
    const base::TimePoint now{std::chrono::hours(1000)};
    const auto both = [&](const char* older, const char* newer) {
        return read_selection({{"older", older}, {"newer", newer}}, now);
    };
    REQUIRE(both("1h", "2h"));
    CHECK(both("1h", "2h")->before == now - std::chrono::hours(1));
    CHECK(both("1h", "2h")->after == now - std::chrono::hours(2));
    for (const auto* const newer : {"1h", "59m"}) {
        const auto none = both("1h", newer);
        REQUIRE_FALSE(none);
        CHECK(none.error().code == base::Errc::conflict);
    }
}

TEST_CASE("a list has at least one row, and no more than it may") {
    CHECK(read_limit({}).value() == base::limits::kListed);
    CHECK(read_limit({{"limit", "1"}}).value() == 1);
    CHECK(read_limit({{"limit", std::to_string(base::limits::kListedMost)}}).value() ==
          base::limits::kListedMost);
    for (const std::string& bad : {std::string("0"), std::string("-1"), std::string("all"),
                                   std::to_string(base::limits::kListedMost + 1)}) {
        CAPTURE(bad);
        CHECK_FALSE(read_limit({{"limit", bad}}));
    }
}

TEST_CASE("a list goes on where its last page says") {
    const queue::Selected place{queue::QueueId{1234567}, 7, queue::State::queued};
    const auto read = read_after({{"after", app::write_after(place)}}).value();
    REQUIRE(read);
    CHECK(read->message == place.message);
    CHECK(read->n == 7);
    CHECK_FALSE(read_after({}).value());
    for (const boost::json::value& bad :
         {boost::json::value("x"), boost::json::value(boost::json::object{}),
          boost::json::value(boost::json::object{{"id", "no id"}, {"n", 1}}),
          boost::json::value(boost::json::object{{"id", "1K52WM9H000"}, {"n", -1}})})
        CHECK_FALSE(read_after({{"after", bad}}));
}

TEST_CASE("a word that is nearly one of ours is asked about") {
    const auto state = read_selection({{"state", "queued,hled"}}, base::TimePoint());
    REQUIRE_FALSE(state);
    CHECK(state.error().text ==
          "\"hled\" is no state: queued, leased, deferred or held; did you mean \"held\"?");
    const auto lane = read_selection({{"lane", "xmmp"}}, base::TimePoint());
    REQUIRE_FALSE(lane);
    CHECK(lane.error().text ==
          "\"xmmp\" is no lane: xmpp, local, relay or report; did you mean \"xmpp\"?");
    const auto other = read_selection({{"lane", "pigeon"}}, base::TimePoint());
    REQUIRE_FALSE(other);
    CHECK(other.error().text == "\"pigeon\" is no lane: xmpp, local, relay or report");
}
