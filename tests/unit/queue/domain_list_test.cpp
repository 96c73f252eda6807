#include "queue/domain_list.hpp"

#include "support/catch_result.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace {

std::string fault_of(std::string_view text) {
    const auto list = queue::DomainList::parse(text);
    return list ? "none" : list.error().text;
}
bool is_named(std::string_view text, const char* domain) {
    const auto list = queue::DomainList::parse(text);
    REQUIRE(list);
    return list->names(*mail::Domain::parse(domain));
}

}  // namespace

TEST_CASE("a list names domains, one a line") {
    const std::string text =
        "# those that we know\n"
        "\n"
        "a.test\n"
        "  B\xC3\xBC"
        "cher.test\t# of the trade\r\n"
        "xn--bcher-kva.test\n"
        "c.test";
    const auto list = queue::DomainList::parse(text);
    REQUIRE(list);
    CHECK(list->size() == 3);
    for (const char* const domain : {"a.test", "A.TEST", "xn--bcher-kva.test", "c.test"})
        CHECK(is_named(text, domain));
    for (const char* const domain : {"x.a.test", "test", "b.test", "aa.test", "[192.0.2.1]"})
        CHECK_FALSE(is_named(text, domain));
    CHECK(queue::DomainList::parse("").value().size() == 0);
    CHECK_FALSE(queue::DomainList().names(*mail::Domain::parse("a.test")));
}

TEST_CASE("a domain with all that is below it") {
    for (const char* const text : {".a.test\n", "*.a.test\n"}) {
        CHECK(is_named(text, "a.test"));
        CHECK(is_named(text, "x.a.test"));
        CHECK(is_named(text, "z.y.x.a.test"));
        CHECK_FALSE(is_named(text, "xa.test"));
        CHECK_FALSE(is_named(text, "test"));
    }
    CHECK(is_named(".test\n", "a.test"));
}

TEST_CASE("a broken list says in which line") {
    CHECK(fault_of("a.test\nno domain\n") == "2: not a domain name");
    CHECK(fault_of("\n\n[192.0.2.1]") == "3: not a domain name");
    CHECK(fault_of("a.test.\n") == "1: not a domain name");
    for (const char* const entry : {".", "*.", "..a.test", "*a.test", "a.*.test", "a@b.test", "-",
                                    "a.test b.test", "http://a.test/", "\xFF\xFE"})
        CHECK(fault_of(entry) != "none");
    CHECK(fault_of(std::string("a.test\0b.test", 13)) == "1: not a domain name");
}

TEST_CASE("a list has bounds") {
    std::string lines(queue::DomainList::kLines, '\n');
    CHECK(fault_of(lines) == "none");
    CHECK(fault_of(lines + "\n") == "100001: more than 100000 lines");
    CHECK(fault_of("#" + std::string(queue::DomainList::kBytes - 1, 'x')) == "none");
    CHECK(fault_of("#" + std::string(queue::DomainList::kBytes, 'x')) ==
          "0: the file is larger than 4 MB");
}
