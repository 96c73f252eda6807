// What [lists] and [dns-list ZONE] say, and what is wrong with it.
#include "support/app/configuration.hpp"

#include <catch2/catch.hpp>

using queue::PeerClass;
using support::fault_of;
using support::load_with;
using Meaning = component::ListAnswers::Meaning;

TEST_CASE("there are no lists but those that are named") {
    const auto config = load_with("");
    REQUIRE(config);
    CHECK(config->lists.empty());
    CHECK(config->dns_lists.empty());
}

TEST_CASE("a file blocks, limits, or makes trusted") {
    const auto config =
        load_with("[lists]\nallow = /x/good\nblock = /x/bad, /x/worse\nlimit=/x/slow\n");
    REQUIRE(config);
    REQUIRE(config->lists.size() == 4);
    CHECK(config->lists[0].path == "/x/bad");
    CHECK(config->lists[0].makes == PeerClass::blocked);
    CHECK(config->lists[1].path == "/x/worse");
    CHECK(config->lists[2].makes == PeerClass::limited);
    CHECK(config->lists[3].makes == PeerClass::trusted);
}

TEST_CASE("a list in the DNS says nothing of trust") {
    const auto config = load_with(
        "[dns-list DBL.example.net]\nmeaning = block\nanswers = 127.0.1.2 127.0.1.4/31\n"
        "test-entry = dbltest.com\n"
        "[dns-list white.example.net]\nmeaning = allow\n"
        "[dns-list slow.example.net]\nmeaning = limit\n");
    REQUIRE(config);
    REQUIRE(config->dns_lists.size() == 3);
    const auto& first = config->dns_lists[0];
    CHECK(first.zone == "dbl.example.net");
    CHECK(first.makes == PeerClass::blocked);
    CHECK(first.test == "dbltest.com");
    CHECK(first.answers.of({0x7F000105}) == Meaning::listed);
    CHECK(first.answers.of({0x7F000106}) == Meaning::absent);
    CHECK(config->dns_lists[1].makes == PeerClass::good);
    CHECK(config->dns_lists[1].test == "test");
    CHECK(config->dns_lists[1].answers.of({0x7F000106}) == Meaning::listed);
    CHECK(config->dns_lists[2].makes == PeerClass::limited);
}

TEST_CASE("what is wrong with a list has file and line") {
    CHECK(fault_of("[lists]\nallow = /x\nblock = /x\n") == ":11: allow: /x is named twice");
    CHECK(fault_of("[lists]\ndeny = /x\n") == ":11: unknown key in [lists]");
    CHECK(fault_of("[dns-list x.test]\n").starts_with(":10: [dns-list] needs "));
    CHECK(fault_of("[dns-list x.test]\nmeaning = deny\n") ==
          ":11: \"deny\" is no good value for meaning: one of allow, block, limit");
    CHECK(fault_of("[dns-list x.test]\nmeaning = block\nanswers = 10.0.0.1\n") ==
          ":12: answers: 10.0.0.1 lists nothing: it has to be in 127.0.0.0/8, and not in "
          "127.255.255.0/24");
    CHECK(fault_of("[dns-list x.test]\nmeaning = block\ntest-entry = no_name\n") ==
          ":12: test-entry: not a domain");
    CHECK(fault_of("[dns-list no_name]\nmeaning = block\n") ==
          ":10: [dns-list no_name]: not a domain");
    CHECK(fault_of("[dns-list x.test]\nmeaning = block\n[dns-list X.test]\nmeaning = block\n") ==
          ":12: [dns-list X.test] stands here a second time");
    std::string many;
    for (std::size_t i = 0; i < app::ListSections::kDnsLists; ++i)
        many += "[dns-list x" + std::to_string(i) + ".test]\nmeaning = block\n";
    CHECK(fault_of(many) == "none");
    CHECK(fault_of(many + "[dns-list y.test]\nmeaning = block\n") ==
          ":26: at most 8 sections [dns-list ...]");
    std::string files;
    for (std::size_t i = 0; i < app::ListSections::kFiles; ++i)
        files += " /x" + std::to_string(i);
    CHECK(fault_of("[lists]\nblock =" + files + "\n") == "none");
    CHECK(fault_of("[lists]\nblock =" + files + " /y\n") == ":11: block: at most 16 files");
}
