// lookup_keys(): a domain's keys in a table that Postfix reads by itself.
#include "smtp-bridge/lookup/lookup_keys.hpp"

#include <catch2/catch.hpp>

using Keys = std::vector<std::string>;
using smtp_bridge::lookup_keys;

TEST_CASE("an internationalised domain is found by each spelling that a sender may use") {
    const std::string u =
        "b\xC3\xBC"
        "cher";
    const std::string a = "xn--bcher-kva";
    CHECK(lookup_keys("a.test") == Keys{"a.test"});
    CHECK(lookup_keys(a + ".test") == Keys{a + ".test", u + ".test"});
    CHECK(lookup_keys(a + "." + a) == Keys{a + "." + a, a + "." + u, u + "." + a, u + "." + u});
    // Each further label would double them.
    CHECK(lookup_keys(a + "." + a + "." + a) == Keys{a + "." + a + "." + a, u + "." + u + "." + u});
}

TEST_CASE("no key is another domain's") {
    for (const std::string domain : {"xn--strae-oqa.test", "xn--zzzz.test", "xn--ls8h.test"})
        CHECK(lookup_keys(domain) == Keys{domain});
}
