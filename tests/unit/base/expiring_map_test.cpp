#include "base/expiring_map.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

TEST_CASE("what is kept for a time is there until that is over") {
    const base::SteadyPoint now{100h};
    base::ExpiringMap<std::string, int> map(3);
    map.put("a", 1, now + 5s);
    REQUIRE(map.find("a", now) != nullptr);
    CHECK(*map.find("a", now + 4999ms) == 1);
    CHECK(map.find("a", now + 5s) == nullptr);
    CHECK(map.find("b", now) == nullptr);
    map.put("a", 2, now + 9s);
    CHECK(*map.find("a", now + 5s) == 2);
    CHECK(map.size() == 1);
    map.forget("a");
    map.forget("a");
    CHECK(map.find("a", now) == nullptr);
    CHECK(map.size() == 0);
}

TEST_CASE("where there is no room, what ends first goes") {
    const base::SteadyPoint now{100h};
    base::ExpiringMap<std::string, int> map(2);
    map.put("late", 1, now + 9s);
    map.put("soon", 2, now + 1s);
    map.put("more", 3, now + 5s);
    CHECK(map.size() == 2);
    CHECK(map.find("soon", now) == nullptr);
    CHECK(map.find("late", now) != nullptr);
    // In place of what is there: that makes no room.
    map.put("late", 4, now + 2s);
    CHECK(map.size() == 2);
    map.put("other", 5, now + 3s);
    CHECK(map.find("late", now) == nullptr);
    CHECK(*map.find("more", now) == 3);
}
