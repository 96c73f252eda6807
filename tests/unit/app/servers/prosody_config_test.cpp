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

TEST_CASE("what Prosody demands of other servers") {
    const auto requires_certificates = [](const char* options) {
        return config_of(options).requires_certificates();
    };
    CHECK(requires_certificates(R"({"*": {"s2s_secure_auth": true}})"));
    CHECK_FALSE(requires_certificates(R"({"*": {}})"));
    CHECK_FALSE(requires_certificates(R"({"*": {"s2s_secure_auth": "yes"}})"));
    CHECK_FALSE(requires_certificates(
        R"({"*": {"s2s_secure_auth": true, "s2s_require_encryption": false}})"));
    CHECK(config_of(R"({"*": {"s2s_insecure_domains": ["c.test", 3]}})").insecure_domains() ==
          std::vector<std::string>{"c.test"});
    CHECK(config_of(R"({"*": {"s2s_insecure_domains": {}}})").insecure_domains().empty());
}

TEST_CASE("ports, limits and folders are read, whatever stands there") {
    const auto port = [](const char* options) { return config_of(options).component_port(); };
    CHECK(port(R"({"*": {}})") == 5347);
    CHECK(port(R"({"*": {"component_ports": [5348, 1]}})") == 5348);
    CHECK(port(R"({"*": {"component_ports": 5349}})") == 5349);
    CHECK(port(R"({"*": {"component_ports": "x"}})") == 5347);
    CHECK(port(R"({"*": {"component_ports": []}})") == 5347);
    const auto stanza = [](const char* options) { return config_of(options).max_stanza(); };
    CHECK(stanza(R"({"*": {}})") == 524288);
    CHECK(stanza(R"({"*": {"s2s_stanza_size_limit": 100000}})") == 100000);
    CHECK(stanza(R"({"*": {"s2s_stanza_size_limit": 1000000}})") == 524288);
    CHECK(stanza(R"({"*": {"component_stanza_size_limit": 1, "s2s_stanza_size_limit": 2}})") == 1);
    CHECK(config_of(R"({"*": {"plugin_paths": ["rel", 3, "/a", "/b"]}})").plugin_folder() == "/a");
    CHECK(config_of(R"({"*": {"plugin_paths": ["rel", 3]}})").plugin_folder().empty());
}

TEST_CASE("a rate is read as mod_limits reads it") {
    CHECK(app::rate_of("30kb/s") == 30e3);
    CHECK(app::rate_of("10 MB/s") == 10e6);
    CHECK(app::rate_of("1.5gb/s") == 1.5e9);
    CHECK(app::rate_of("700b/s") == 700);
    CHECK(app::rate_of("fast") == 0);
    CHECK(app::rate_of("") == 0);
    const auto is_slow = [](const char* options) { return config_of(options).is_slow(); };
    CHECK(is_slow(R"({"*": {"limits": {"s2sin": {"rate": "30kb/s"}}}})"));
    CHECK_FALSE(is_slow(R"({"*": {"limits": {"s2sin": {"rate": "10mb/s"}}}})"));
    CHECK_FALSE(is_slow(R"({"*": {"limits": {"c2s": {"rate": "1kb/s"}}}})"));
    CHECK_FALSE(is_slow(R"({"*": {}})"));
}

TEST_CASE("whether it waits before it writes") {
    const auto is_paced = [](const char* options) { return config_of(options).is_paced(); };
    CHECK(is_paced(R"({"*": {}})"));
    CHECK(is_paced(R"({"*": {"network_settings": {"nagle": false}}})"));
    CHECK(is_paced(R"({"*": {"network_settings": {"min_wait": 0}}})"));
    CHECK(is_paced(R"({"*": {"network_settings": {"min_wait": 0.001, "nagle": false}}})"));
    CHECK_FALSE(is_paced(R"({"*": {"network_settings": {"min_wait": 0, "nagle": false}}})"));
}
