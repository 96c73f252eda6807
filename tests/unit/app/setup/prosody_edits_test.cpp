#include "app/setup/prosody_edits.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace {

app::ProsodyConfig prosody_of(const std::string& hosts) {
    return {boost::json::parse(hosts).as_object(), {}};
}

app::Site prosody_site() {
    app::Site site;
    site.domains = {"a.test"};
    site.component = "mail.a.test";
    site.secret = "s3\"cret";
    return site;
}

const std::string kStockProsody = R"({"*": {"s2s_secure_auth": true,
    "plugin_paths": ["/usr/local/lib/prosody/modules"],
    "limits": {"c2s": {"rate": "10kb/s"}, "s2sin": {"rate": "30kb/s", "burst": "2s"}}},
    "a.test": {"defined": true}})";

bool says(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a stock Prosody gets the component, its speed, and keeps its other limits") {
    const std::string text = app::prosody_file(prosody_of(kStockProsody), prosody_site(), "");
    CHECK(says(text, "Component \"mail.a.test\"\n\tcomponent_secret = \"s3\\\"cret\"\n"));
    CHECK(says(text, "\tmail_transfer_domains = { \"a.test\" }\n"));
    CHECK(says(text,
               "limits = { c2s = { rate = \"10kb/s\" }, s2sin = { burst = \"2s\", rate = "
               "\"10mb/s\" } }\n"));
    CHECK(says(text, "network_settings = { min_wait = 0, nagle = false, read_size = 65536 }\n"));
    CHECK(says(text, "gc = { threshold = 200 }\n"));
    CHECK_FALSE(says(text, "s2s_secure_auth"));
    CHECK_FALSE(says(text, "VirtualHost"));
}

TEST_CASE("what somebody has set already is kept") {
    const auto config = prosody_of(R"({"*": {"gc": {"speed": 500},
        "network_settings": {"nagle": false, "min_wait": 0, "ssl": true},
        "limits": {"s2sin": {"rate": "20 MB/s"}}},
        "a.test": {"defined": true}, "mail.a.test": {"component_module": "component"}})");
    CHECK(app::prosody_file(config, prosody_site(), "").empty());
    const auto own =
        prosody_of(R"({"*": {"network_settings": {"backend": "epoll", "nagle": true}}})");
    CHECK(says(app::prosody_file(own, prosody_site(), ""),
               R"(network_settings = { backend = "epoll", min_wait = 0, nagle = false, )"));
}

TEST_CASE("our own file stays as it is, but for domains that it lacks") {
    const std::string before = app::prosody_file(prosody_of(kStockProsody), prosody_site(), "");
    const auto now = prosody_of(R"({"*": {"network_settings": {"nagle": false, "min_wait": 0}},
        "mail.a.test": {"component_module": "component", "mail_transfer_domains": ["a.test"],
                        "modules_enabled": ["mail_transfer_addresses"]}})");
    CHECK(app::prosody_file(now, prosody_site(), before) == before);
    auto two = prosody_site();
    two.domains = {"a.test", "second.test"};
    const std::string after = app::prosody_file(now, two, before);
    CHECK(says(after, "\tmail_transfer_domains = { \"a.test\", \"second.test\" }\n"));
    CHECK(after.size() == before.size() + std::string(", \"second.test\"").size());
}

TEST_CASE("certificates are demanded only if the administrator says so, then or later") {
    const auto lax = prosody_of(R"({"*": {"s2s_secure_auth": false}})");
    auto strict = prosody_site();
    strict.require_certificates = true;
    const std::string before = app::prosody_file(lax, prosody_site(), "");
    CHECK_FALSE(says(before, "s2s_secure_auth"));
    CHECK(says(app::prosody_file(lax, strict, ""), "s2s_secure_auth = true\n"));
    CHECK_FALSE(says(app::prosody_file(prosody_of(kStockProsody), strict, ""), "s2s_secure_auth"));
    const std::string after = app::prosody_file(lax, strict, before);
    CHECK(after.find("s2s_secure_auth = true\ns2s_require_encryption = true\n") <
          after.find("Component"));
    CHECK(after.ends_with(before));
    strict.assurance = "pkix";
    CHECK(app::prosody_faults(lax, strict).size() ==
          app::prosody_faults(lax, prosody_site()).size() + 1);
}

TEST_CASE("what is for the whole server stands in front of the component") {
    const std::string text =
        app::prosody_file(prosody_of(kStockProsody), prosody_site(), "", "/srv/modules");
    CHECK(text.find("plugin_paths = { \"/srv/modules\" }\n") < text.find("Component"));
}

TEST_CASE("our file is included if conf.d is not") {
    const std::string with = "a = 1\n  Include \"conf.d/*.cfg.lua\"\n";
    CHECK(app::prosody_main(with) == with);
    CHECK(app::prosody_main("--Include \"conf.d/*.cfg.lua\"") ==
          "--Include \"conf.d/*.cfg.lua\"\n\nInclude "
          "\"/etc/prosody/conf.d/packetboat.cfg.lua\"\n");
}

TEST_CASE("what another file says otherwise is told of") {
    const auto good = prosody_of(R"({"*": {"network_settings": {"nagle": false, "min_wait": 0}},
        "mail.a.test": {"component_module": "component", "mail_transfer_domains": ["a.test"],
                        "modules_enabled": ["mail_transfer_addresses"]}})");
    CHECK(app::prosody_faults(good, prosody_site()).empty());
    CHECK(app::prosody_faults(prosody_of(kStockProsody), prosody_site()).size() == 3);
    const auto by_host = prosody_of(R"({"*": {"network_settings": {"nagle": false, "min_wait": 0}},
        "a.test": {"defined": true, "mail_transfer_addresses": ["mail.a.test"],
                   "modules_enabled": ["mail_transfer_addresses"]}})");
    CHECK(app::prosody_faults(by_host, prosody_site()).empty());
}

TEST_CASE("a value is written so that Lua reads it again") {
    const auto lua = [](const char* text) { return app::to_lua(boost::json::parse(text)); };
    CHECK(lua(R"({"a b": 1, "and_more": [true, null], "e": {}})") ==
          R"({ ["a b"] = 1, and_more = { true, nil }, e = {} })");
    CHECK(lua(R"("a\"b\\c\nd\r")") == R"("a\"b\\c\nd\013")");
    CHECK(lua("0.0") == "0");
    CHECK(lua("1.5") == "1.5E0");
}
