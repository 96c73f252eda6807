// Result and Error: a value, or why there is none.
#include "base/result.hpp"

#include <set>
#include <stdexcept>

#include <catch2/catch.hpp>

using base::Errc;
using base::fail;
using base::Result;

namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail(Errc::syntax, "odd");
    return number / 2;
}

Result<void> check(bool good) {
    if (!good) return fail(Errc::refused, "no");
    return {};
}

}  // namespace

TEST_CASE("a result has a value or an error") {
    CHECK(half(4).has_value());
    CHECK(*half(4) == 2);
    CHECK(half(3).has_error());
    CHECK(half(3).error().code == Errc::syntax);
    CHECK(half(3).error().text == "odd");
    CHECK(check(true).has_value());
    CHECK(check(false).error().code == Errc::refused);
}

TEST_CASE("an unchecked error is a broken invariant, and says which") {
    try {
        (void)half(3).value();
        FAIL("value() of a failed result returned");
    } catch (const std::logic_error& error) {
        CHECK_THAT(error.what(), Catch::Contains("syntax: odd"));
        CHECK_THAT(error.what(), Catch::Contains("result_test.cpp"));
    }
    CHECK_THROWS_AS(check(false).value(), std::logic_error);
}

TEST_CASE("every code has a name of its own") {
    std::set<std::string> names;
    for (int code = 0; code <= static_cast<int>(Errc::busy); ++code)
        names.insert(base::name(static_cast<Errc>(code)));
    CHECK(names.size() == static_cast<std::size_t>(Errc::busy) + 1);
    CHECK(names.count("unknown") == 0);
}
