#include "app/servers/ejabberd_config.hpp"

#include <fstream>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace fs = std::filesystem;

namespace {

/// A folder that is gone in the end.
class YamlFolder {
  public:
    YamlFolder() : path_(fs::temp_directory_path() / ("ejabberd-" + std::to_string(::getpid()))) {
        fs::create_directory(path_);
    }
    YamlFolder(const YamlFolder&) = delete;
    YamlFolder& operator=(const YamlFolder&) = delete;
    ~YamlFolder() { fs::remove_all(path_); }

    fs::path write(const char* name, const std::string& text) const {
        std::ofstream(path_ / name) << text;
        return path_ / name;
    }
    const fs::path& path() const { return path_; }

  private:
    fs::path path_;
};

}  // namespace

TEST_CASE("the listeners for components are found, in included files, too") {
    const YamlFolder folder;
    const std::string here = folder.path().string();
    folder.write(
        "one.yml",
        "listen:\n  -\n    port: 5347\n    module: ejabberd_service\n    check_from: false\n"
        "    hosts:\n      mail.a.test:\n        password: x\n"
        "      other.a.test:\n        password: y\n");
    folder.write("two.yml", "listen:\n  - {port: 5348, module: ejabberd_service, password: z}\n");
    const auto file =
        folder.write("ejabberd.yml",
                     "listen:\n  -\n    port: 5222\n    module: ejabberd_c2s\n"
                     "  -\n    port: \"unix:/x\"\n    module: ejabberd_service\n"
                     "    hosts: {mail.b.test: {password: x}}\n"
                     "include_config_file:\n  - " +
                         here + "/one.yml\n  - " + here + "/two.yml:\n      disallow: [hosts]\n");
    const auto services = app::read_ejabberd(file);
    REQUIRE(services);
    REQUIRE(services->services.size() == 3);
    CHECK(services->services.at(0).port == 0);
    CHECK(services->services.at(0).has_host("mail.b.test"));
    CHECK(services->services.at(0).check_from);
    CHECK(services->services.at(1).port == 5347);
    CHECK(services->services.at(1).passwords.at("other.a.test") == "y");
    CHECK(services->services.at(1).hosts ==
          std::vector<std::string>{"mail.a.test", "other.a.test"});
    CHECK_FALSE(services->services.at(1).check_from);
    CHECK(services->services.at(2).port == 5348);
    CHECK(services->services.at(2).hosts.empty());
}

TEST_CASE("what can't be read is an error, and what has no listeners is none") {
    const YamlFolder folder;
    CHECK_FALSE(app::read_ejabberd(folder.path() / "missing.yml"));
    CHECK_FALSE(app::read_ejabberd(folder.write("bad.yml", "listen: [}")));
    // Itself, for ever.
    const auto loop = folder.write(
        "loop.yml", "include_config_file: " + (folder.path() / "loop.yml").string() + "\n");
    CHECK_FALSE(app::read_ejabberd(loop));
    for (const char* text : {"", "x", "[1, 2]", "listen: 1", "listen: [1, {}, {module: x}]",
                             "include_config_file: []"}) {
        CAPTURE(text);
        const auto services = app::read_ejabberd(folder.write("odd.yml", text));
        REQUIRE(services);
        CHECK(services->services.empty());
    }
}

TEST_CASE("a listener's component is ours in any spelling of its name") {
    const YamlFolder folder;
    const auto file = folder.write("ejabberd.yml",
                                   "listen:\n  -\n    port: 5347\n    module: ejabberd_service\n"
                                   "    hosts: {Mail.B\xC3\xBC"
                                   "cher.test: {password: x}, mail.xn--bume-loa.test: {}}\n");
    const auto services = app::read_ejabberd(file);
    REQUIRE(services);
    CHECK(
        services->services.at(0).has_host("mail.b\xC3\xBC"
                                          "cher.test"));
    CHECK(
        services->services.at(0).has_host("mail.b\xC3\xA4"
                                          "ume.test"));
}

TEST_CASE("what it demands of other servers is found, in included files, too") {
    const YamlFolder folder;
    const auto more =
        folder.write("more.yml", "s2s_max_retry_delay: 1\nmodules:\n  mod_disco: {}\n");
    const auto file =
        folder.write("ejabberd.yml",
                     "s2s_use_starttls: required\nmodules:\n  mod_s2s_dialback: {}\n"
                     "listen:\n  - {port: 5269, module: ejabberd_s2s_in, max_stanza_size: 262144}\n"
                     "  - {port: 5347, module: ejabberd_service, max_stanza_size: infinity}\n"
                     "include_config_file: " +
                         more.string() + "\n");
    const auto config = app::read_ejabberd(file);
    REQUIRE(config);
    CHECK(config->requires_tls());
    CHECK(config->takes_dialback());
    CHECK(config->max_retry_delay == 1);
    CHECK(config->max_stanza == 262144);
    CHECK(config->services.front().max_stanza == UINT64_MAX);
    CHECK(config->modules == std::set<std::string>{"mod_disco", "mod_s2s_dialback"});
    CHECK(config->ports == std::set<std::uint16_t>{5269, 5347});
    CHECK(config->options.contains("s2s_max_retry_delay"));
    const auto bare = app::read_ejabberd(folder.write("bare.yml", "hosts: [a.test]\n"));
    REQUIRE(bare);
    CHECK_FALSE(bare->requires_tls());
    CHECK_FALSE(bare->takes_dialback());
    CHECK(bare->max_retry_delay == 300);
}
