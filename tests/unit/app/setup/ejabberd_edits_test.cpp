#include "app/setup/ejabberd_edits.hpp"

#include "app/servers/ejabberd_config.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>

namespace {

app::Site ejabberd_site() {
    app::Site site;
    site.xmpp = app::XmppServer::ejabberd;
    site.domains = {"a.test"};
    site.component = "mail.a.test";
    site.secret = "s3\"cret";
    return site;
}

const std::string kStockEjabberd = R"(# a comment
hosts:
  - localhost
  - "a.test"
listen:
  -
    port: 5269
    module: ejabberd_s2s_in
s2s_use_starttls: required
modules:
  mod_adhoc: {}
  mod_disco: {}   # with a comment
  mod_s2s_dialback: {}
  mod_version: {}
)";

std::string changed(const std::string& text, bool require_certificates = false) {
    const auto after = app::ejabberd_main(text, ejabberd_site(), require_certificates);
    return after ? *after : after.error().text;
}

}  // namespace

TEST_CASE("Debian's ejabberd.yml loses a line and gets an include") {
    const std::string after = changed(kStockEjabberd);
    std::string wanted = kStockEjabberd;
    const std::string disco = "  mod_disco: {}   # with a comment\n";
    wanted.erase(wanted.find(disco), disco.size());
    CHECK(after == wanted + "\ninclude_config_file:\n  - /etc/ejabberd/packetboat.yml\n");
    CHECK(changed(after) == after);
}

TEST_CASE("dialback goes only if the administrator says so") {
    const auto main = app::read_ejabberd_main(kStockEjabberd);
    REQUIRE(main);
    CHECK(main->assurance() == "dialback");
    CHECK(changed(kStockEjabberd).find("mod_s2s_dialback") != std::string::npos);
    const auto after = app::read_ejabberd_main(changed(kStockEjabberd, true));
    REQUIRE(after);
    CHECK(after->assurance() == "pkix");
    CHECK(after->hosts.contains("a.test"));
}

TEST_CASE("other included files stay, and ours is one more") {
    const std::string more =
        kStockEjabberd + "include_config_file:\n    - /etc/ejabberd/other.yml\n";
    CHECK(
        changed(more).ends_with("include_config_file:\n    - /etc/ejabberd/packetboat.yml\n    - "
                                "/etc/ejabberd/other.yml\n"));
    CHECK(changed(kStockEjabberd + "include_config_file: /etc/ejabberd/other.yml\n")
              .find("by hand") != std::string::npos);
}

TEST_CASE("mod_disco with options of its own gets ours beside them") {
    std::string text = kStockEjabberd;
    const std::string disco = "  mod_disco: {}   # with a comment\n";
    text.replace(text.find(disco), disco.size(), "  mod_disco:\n    name: \"here\"\n");
    const std::string after = changed(text);
    CHECK(after.find("  mod_disco:\n    extra_domains:\n      - mail.a.test\n    server_info:\n") !=
          std::string::npos);
    CHECK(after.find("    name: \"here\"\n") != std::string::npos);
    const auto main = app::read_ejabberd_main(text);
    REQUIRE(main);
    CHECK(app::ejabberd_own(*main, ejabberd_site()).find("mod_disco") == std::string::npos);
    std::string taken = text;
    taken.replace(taken.find("    name: \"here\"\n"), 17, "    extra_domains: []\n");
    CHECK(changed(taken).find("by hand") != std::string::npos);
}

TEST_CASE("our own file has what ejabberd.yml lacks, and is what `check` reads") {
    const auto main = app::read_ejabberd_main(kStockEjabberd);
    REQUIRE(main);
    const std::string own = app::ejabberd_own(*main, ejabberd_site());
    CHECK(own.find("s2s_use_starttls") == std::string::npos);
    CHECK(own.find("s2s_max_retry_delay: 1\n") != std::string::npos);
    CHECK(own.find("password: \"s3\\\"cret\"\n") != std::string::npos);
    const support::Folder folder;
    const auto file = folder.path() / "packetboat.yml";
    std::ofstream(file) << own;
    const auto services = app::read_ejabberd(file);
    REQUIRE(services);
    REQUIRE(services->services.size() == 1);
    CHECK(services->services.front().port == 5347);
    CHECK(services->services.front().has_host("mail.a.test"));
    const auto bare = app::read_ejabberd_main("hosts: [a.test]\ns2s_max_retry_delay: 300\n");
    REQUIRE(bare);
    CHECK(app::ejabberd_own(*bare, ejabberd_site()).find("s2s_use_starttls: required") !=
          std::string::npos);
    CHECK(app::ejabberd_own(*bare, ejabberd_site()).find("s2s_max_retry_delay") ==
          std::string::npos);
}

TEST_CASE("what is no configuration is an error, and nothing is made of it") {
    for (const char* text : {"", "- a\n- b\n", "hosts: [\n", "hosts: {a: b: c}\n"}) {
        INFO(text);
        CHECK_FALSE(app::ejabberd_main(text, ejabberd_site(), false));
    }
    // Lines can't be added where all is in one.
    CHECK_FALSE(
        app::ejabberd_main("{hosts: [a.test], modules: {mod_disco: {}}}", ejabberd_site(), false));
}

TEST_CASE("only the options that Debian ships are replaced") {
    const std::string plain = "# x\nERL_OPTIONS=\"-env ERL_CRASH_DUMP_BYTES 0\"\nA=b\n";
    const std::string after = app::ejabberd_options(plain);
    CHECK(after.find("inet_default_connect_options [{nodelay,true}]\"\nA=b\n") !=
          std::string::npos);
    CHECK(app::ejabberd_options(after) == after);
    const std::string own = "ERL_OPTIONS=\"-env X 1\"\n";
    CHECK(app::ejabberd_options(own) == own);
    const std::string off = "#ERL_OPTIONS=\"-env ERL_CRASH_DUMP_BYTES 0\"\n";
    CHECK(app::ejabberd_options(off) == off);
}
