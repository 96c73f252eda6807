#include "app/daemon/control_verbs.hpp"

#include <catch2/catch.hpp>

using namespace app;

TEST_CASE("who may only complain can do nothing to mail") {
    for (const char* const verb :
         {"status", "queue-list", "queue", "verify", "backup", "trace", "look-up", "mirror",
          "routes-list", "routes-forget", "senders-list", "senders-forget", "peers-list",
          "peers-show", "peers-set", "peers-forget", "retire", "resume"}) {
        REQUIRE(find_verb(verb, Access::everything) != nullptr);
        CHECK(find_verb(verb, Access::everything)->name == verb);
        CHECK(find_verb(verb, Access::complaints) == nullptr);
    }
    for (const Access access : {Access::everything, Access::complaints}) {
        CHECK(find_verb("complaint", access) != nullptr);
        CHECK(find_verb("notify", access) != nullptr);
        CHECK(find_verb("stop", access) == nullptr);
        CHECK(find_verb("", access) == nullptr);
    }
}
