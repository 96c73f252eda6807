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

/// As it is read from the disk.
app::EjabberdConfig config_in(const std::string& text) {
    const support::Folder folder;
    const auto file = folder.path() / "ejabberd.yml";
    // What it includes is not here.
    std::ofstream(file) << text.substr(0, text.find("include_config_file:"));
    const auto config = app::read_ejabberd(file);
    REQUIRE(config);
    return *config;
}

std::string changed(const std::string& text, bool require_certificates = false) {
    auto site = ejabberd_site();
    site.require_certificates = require_certificates;
    const auto after = app::ejabberd_main(text, config_in(text), site);
    return after ? *after : after.error().text;
}

std::string own(const std::string& text) {
    const auto made = app::ejabberd_own(config_in(text), text, ejabberd_site());
    return made ? *made : made.error().text;
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

TEST_CASE("dialback goes only if the administrator says so, then or later") {
    CHECK(config_in(kStockEjabberd).takes_dialback());
    const std::string lax = changed(kStockEjabberd);
    CHECK(lax.find("mod_s2s_dialback") != std::string::npos);
    std::string optional = kStockEjabberd;
    optional.replace(optional.find("required"), 8, "optional");
    for (const auto& before : {kStockEjabberd, lax, optional}) {
        const std::string after = changed(before, true);
        CHECK_FALSE(config_in(after).takes_dialback());
        CHECK(config_in(after).requires_tls());
        CHECK(config_in(after).hosts.contains("a.test"));
    }
    // With options of its own, it is not known what else would go.
    std::string more = kStockEjabberd;
    more.replace(more.find("mod_s2s_dialback: {}"), 20, "mod_s2s_dialback:\n    access: all");
    CHECK(changed(more, true).find("by hand") != std::string::npos);
}

TEST_CASE("a line that others share is not removed") {
    const std::string text =
        "hosts: [a.test]\nmodules: {\n  mod_roster: {}, mod_disco: {}, mod_offline: {},\n"
        "  mod_ping: {}}\n";
    CHECK(changed(text).find("by hand") != std::string::npos);
}

TEST_CASE("that our file's name is in a comment is no include of it") {
    const std::string after = changed("# see /etc/ejabberd/packetboat.yml\n" + kStockEjabberd);
    CHECK(after.ends_with("\ninclude_config_file:\n  - /etc/ejabberd/packetboat.yml\n"));
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
    CHECK(own(text).find("mod_disco") == std::string::npos);
    std::string taken = text;
    taken.replace(taken.find("    name: \"here\"\n"), 17, "    extra_domains: []\n");
    CHECK(changed(taken).find("by hand") != std::string::npos);
}

TEST_CASE("our own file has what ejabberd.yml lacks, and is what `check` reads") {
    const std::string text = own(kStockEjabberd);
    CHECK(text.find("s2s_use_starttls") == std::string::npos);
    CHECK(text.find("s2s_max_retry_delay: 1\n") != std::string::npos);
    CHECK(text.find("password: \"s3\\\"cret\"\n") != std::string::npos);
    const auto config = config_in(text);
    REQUIRE(config.services.size() == 1);
    CHECK(config.services.front().port == 5347);
    CHECK(config.services.front().has_host("mail.a.test"));
    CHECK(config.services.front().passwords.at("mail.a.test") == "s3\"cret");
    const std::string bare = own("hosts: [a.test]\ns2s_max_retry_delay: 300\n");
    CHECK(bare.find("s2s_use_starttls: required") != std::string::npos);
    CHECK(bare.find("s2s_max_retry_delay") == std::string::npos);
}

TEST_CASE("what is no configuration is an error, and nothing is made of it") {
    for (const char* text : {"", "- a\n- b\n", "hosts: [\n", "hosts: {a: b: c}\n"}) {
        INFO(text);
        CHECK_FALSE(app::ejabberd_main(text, {}, ejabberd_site()));
    }
    // Lines can't be added where all is in one.
    const std::string one = "{hosts: [a.test], modules: {mod_disco: {}}}";
    CHECK_FALSE(app::ejabberd_main(one, config_in(one), ejabberd_site()));
    // What is not here may stand in a file that is included.
    CHECK(changed("hosts: [a.test]\n").find("packetboat.yml") != std::string::npos);
    CHECK(changed("hosts: a.test\nmodules: [x]\nlisten: 3\n").find("packetboat.yml") !=
          std::string::npos);
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
