// spelling: what is near is found, and nothing else is.
#include "base/spelling.hpp"

#include <catch2/catch.hpp>

namespace {

constexpr std::string_view kWords[] = {"list", "hold", "held", "queue", "on", "off"};

}  // namespace

TEST_CASE("a letter that is changed, added, left out or swapped is one edit") {
    CHECK(base::edits_between("list", "list") == 0);
    CHECK(base::edits_between("lost", "list") == 1);
    CHECK(base::edits_between("lisst", "list") == 1);
    CHECK(base::edits_between("lst", "list") == 1);
    CHECK(base::edits_between("lsit", "list") == 1);
    CHECK(base::edits_between("silt", "list") == 2);
    CHECK(base::edits_between("", "list") == 4);
    CHECK(base::edits_between("list", "") == 4);
    CHECK(base::edits_between("kitten", "sitting") == 3);
}

TEST_CASE("the nearest word is what was meant, if it is near") {
    CHECK(base::nearest("qeue", kWords) == "queue");
    CHECK(base::nearest("lsit", kWords) == "list");
    CHECK(base::nearest("quue", kWords) == "queue");
    CHECK(base::nearest("no", kWords) == "on");
    CHECK(base::nearest("ofd", kWords) == "off");
    CHECK(base::nearest("heldd", kWords) == "held");
    // Both are one edit away.
    CHECK(base::nearest("hlld", kWords) == "hold");
    CHECK(base::nearest("explode", kWords).empty());
    CHECK(base::nearest("xx", kWords).empty());
    CHECK(base::nearest("", kWords).empty());
    CHECK(base::nearest("list", {}).empty());
}

TEST_CASE("a word that is too long is like no other") {
    const std::string longest(base::kLongestWord, 'a');
    const std::string_view known[] = {longest};
    CHECK(base::nearest(longest.substr(1), known) == longest);
    CHECK(base::nearest(longest + "a", known).empty());
    CHECK(base::edits_between(longest + "a", longest) > base::kLongestWord);
    CHECK(base::nearest(std::string(100'000, 'a'), known).empty());
}

TEST_CASE("what was meant is asked, or nothing is") {
    CHECK(base::did_you_mean("hedl", kWords) == "; did you mean \"held\"?");
    CHECK(base::did_you_mean("asleep", kWords).empty());
}
