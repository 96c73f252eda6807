#include "smtp-bridge/client/link_limit.hpp"

#include <catch2/catch.hpp>

using smtp_bridge::LinkLimit;

TEST_CASE("a link limit is learned, and doubted with time") {
    LinkLimit limit(20);
    const LinkLimit::TimePoint now{};
    const auto minute = std::chrono::minutes(1);
    CHECK(limit.most(now) == 20);
    CHECK(limit.refused(3, now));
    CHECK(limit.most(now) == 3);
    CHECK(limit.most(now + minute - std::chrono::seconds(1)) == 3);
    CHECK(limit.most(now + minute) == 4);
    CHECK(limit.most(now + 100 * minute) == 20);
    CHECK_FALSE(limit.refused(3, now + minute));
    CHECK(limit.most(now + minute) == 3);
    CHECK(limit.refused(0, now));
    CHECK(limit.most(now) == 1);
    limit.forget();
    CHECK(limit.most(now) == 20);
}
