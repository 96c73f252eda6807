#include "app/servers/prosody_config.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace {

app::ProsodyConfig config_of(const char* hosts) {
    return {boost::json::parse(hosts).as_object(), {"/etc/prosody/prosody.cfg.lua"}};
}

}  // namespace

TEST_CASE("a host has its own options, and those of all hosts") {
    const auto config = config_of(R"({"*": {"gc": {"threshold": 1}, "name": "all"},
                                      "a.test": {"defined": true, "name": "own"},
                                      "b.test": {"defined": true}})");
    CHECK(*config.find("a.test", "name") == "own");
    CHECK(*config.find("b.test", "name") == "all");
    CHECK(*config.find("no.such.test", "name") == "all");
    CHECK(*config.find("name") == "all");
    CHECK(config.find("a.test", "nothing") == nullptr);
}

TEST_CASE("virtual hosts and components are told apart") {
    const auto config = config_of(R"({"*": {"component_ports": [5347]},
                                      "a.test": {"defined": true},
                                      "mail.a.test": {"component_module": "component"},
                                      "chat.a.test": {"component_module": "muc"}})");
    CHECK(config.virtual_hosts() == std::vector<std::string>{"a.test"});
    CHECK(config.has_virtual_host("a.test"));
    CHECK_FALSE(config.has_virtual_host("mail.a.test"));
    CHECK_FALSE(config.has_virtual_host("*"));
    CHECK(config.has_component("chat.a.test"));
    CHECK_FALSE(config.has_external_component("chat.a.test"));
    CHECK(config.has_external_component("mail.a.test"));
    CHECK_FALSE(config.has_component("a.test"));
    CHECK(config.has_read("/etc/prosody/prosody.cfg.lua"));
    CHECK_FALSE(config.has_read("/etc/prosody/conf.d/packetboat.cfg.lua"));
}
