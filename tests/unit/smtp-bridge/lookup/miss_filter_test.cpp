#include "smtp-bridge/lookup/miss_filter.hpp"

#include "base/limits.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;

namespace {

mail::Domain domain(const std::string& name) {
    return *mail::Domain::parse(name);
}

}  // namespace

TEST_CASE("all names below one domain cause a few discoveries together, and leave others theirs") {
    smtp_bridge::MissFilter filter;
    auto now = smtp_bridge::MissFilter::TimePoint{} + 1h;
    int let_through = 0;
    for (int i = 0; i < 1000; ++i)
        let_through += filter.lets_through(domain("x" + std::to_string(i) + ".evil.test"), now);
    CHECK(let_through == 5);
    CHECK(filter.lets_through(domain("b.test"), now));
    CHECK_FALSE(filter.lets_through(domain("b.test"), now));
    now += base::limits::kDiscoTime;
    CHECK(filter.lets_through(domain("x999.evil.test"), now));
    CHECK(filter.lets_through(domain("b.test"), now));
}
