#include "component/discovery/list_answers.hpp"

#include "support/catch_result.hpp"

#include <catch2/catch.hpp>

using component::ListAnswers;
using Meaning = ListAnswers::Meaning;

namespace {

Meaning meaning(const ListAnswers& answers, const std::vector<std::uint32_t>& addresses) {
    return answers.of(addresses);
}
ListAnswers only(const std::vector<std::string>& words) {
    return ListAnswers::parse(words).value();
}

}  // namespace

// RFC 5782 3.
TEST_CASE("an address in 127.0.0.0/8 lists, and no other") {
    const ListAnswers any;
    CHECK(meaning(any, {}) == Meaning::absent);
    CHECK(meaning(any, {0x7F000002}) == Meaning::listed);
    CHECK(meaning(any, {0x7F000000}) == Meaning::listed);
    CHECK(meaning(any, {0x7FFFFEFF}) == Meaning::listed);
    CHECK(meaning(any, {0x0A010203}) == Meaning::absent);
    CHECK(meaning(any, {0x80000000, 0x7EFFFFFF}) == Meaning::absent);
    CHECK(meaning(any, {0x0A010203, 0x7F000104}) == Meaning::listed);
}

TEST_CASE("an error of the list is no listing, whatever else it says") {
    const ListAnswers any;
    CHECK(meaning(any, {0x7FFFFFFE}) == Meaning::fault);
    CHECK(meaning(any, {0x7FFFFF00}) == Meaning::fault);
    CHECK(meaning(any, {0x7F000001}) == Meaning::fault);
    CHECK(meaning(any, {0x7F000002, 0x7FFFFFFF}) == Meaning::fault);
    CHECK(meaning(only({"127.0.0.0/8"}), {0x7FFFFFFE}) == Meaning::fault);
}

TEST_CASE("which answers count can be said") {
    const ListAnswers some = only({"127.0.0.2", "127.0.1.0/24"});
    CHECK(meaning(some, {0x7F000002}) == Meaning::listed);
    CHECK(meaning(some, {0x7F0001FF}) == Meaning::listed);
    CHECK(meaning(some, {0x7F000003}) == Meaning::absent);
    CHECK(meaning(some, {0x7F000003, 0x7F000102}) == Meaning::listed);
    CHECK(meaning(some, {0x7F000001}) == Meaning::fault);
    CHECK(meaning(only({"127.0.0.1"}), {0x7F000001}) == Meaning::listed);
    for (const char* const word :
         {"10.1.2.3", "127.255.255.0/24", "127.255.255.254", "0.0.0.0/0", "126.0.0.0/7",
          "127.0.0.2/24", "127.0.0.2/33", "127.0.0", "x", "::1", ""})
        CHECK_FALSE(ListAnswers::parse({"127.0.0.2", word}));
}
