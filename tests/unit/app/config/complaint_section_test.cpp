#include "app/config/complaint_section.hpp"

#include "app/config/grammar.hpp"
#include "support/catch_result.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>

using namespace app;
using namespace std::chrono_literals;

namespace {

base::Result<ComplaintConfig> read(const std::string& text) {
    const support::Folder folder;
    const auto file = folder.path() / "x.conf";
    std::ofstream(file) << "[complaints]\n" << text;
    const auto sections = read_sections(file, make_grammar(), {});
    REQUIRE(sections);
    for (const Section& section : *sections) {
        if (section.kind == "complaints") return read_complaints(section);
    }
    return base::fail(base::Errc::not_found, "no such section");
}

}  // namespace

TEST_CASE("complaints are off unless the file says otherwise") {
    const auto config = read("");
    REQUIRE(config);
    CHECK_FALSE(config->which.send);
    CHECK_FALSE(config->which.take);
    CHECK(config->socket.empty());
    CHECK(config->socket_mode == 0660);
    CHECK(config->plan.period == 24h);
    CHECK_FALSE(config->plan.abuse_address);
}

TEST_CASE("all of [complaints] can be said") {
    const auto config = read(
        "send = yes\ntake = yes\nbatch = 12h\nabuse-address = security@a.test\n"
        "socket = /run/packetboat/complaints.sock\nsocket-mode = 0666\n");
    REQUIRE(config);
    CHECK(config->which.send);
    CHECK(config->which.take);
    CHECK(config->plan.period == 12h);
    CHECK(config->plan.abuse_address->text() == "security@a.test");
    CHECK(config->socket == "/run/packetboat/complaints.sock");
    CHECK(config->socket_mode == 0666);
}

TEST_CASE("what is wrong in [complaints] is named") {
    for (const auto& [text, key] :
         {std::pair("batch = 500ms\n", "batch"), std::pair("batch = 8d\n", "batch"),
          std::pair("abuse-address = abuse\n", "abuse-address"),
          std::pair("socket = complaints.sock\n", "socket"),
          std::pair("socket-mode = 0999\n", "socket-mode"),
          std::pair("socket-mode = 10000\n", "socket-mode"),
          std::pair("socket-mode = rw\n", "socket-mode")}) {
        const auto config = read(text);
        REQUIRE_FALSE(config);
        CHECK(config.error().text.starts_with(std::string(key) + ":"));
    }
}
