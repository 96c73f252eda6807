#include "app/check/check_size.hpp"

#include <catch2/catch.hpp>

TEST_CASE("an intake has to take what Postfix takes") {
    smtp_bridge::ListenerSettings usual;
    CHECK(app::takes_all(usual, 52428800));
    CHECK(app::takes_all(usual, 0));
    smtp_bridge::ListenerSettings bounded;
    bounded.max_size = 50u << 20;
    CHECK(app::takes_all(bounded, 10240000));
    CHECK(app::takes_all(bounded, 52428800));
    CHECK_FALSE(app::takes_all(bounded, 52428801));
    CHECK_FALSE(app::takes_all(bounded, 0));
}
