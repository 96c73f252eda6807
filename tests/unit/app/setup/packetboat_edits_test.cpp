#include "app/setup/packetboat_edits.hpp"

#include "app/config/config.hpp"
#include "app/setup/change.hpp"
#include "support/folder.hpp"

#include <fstream>

#include <catch2/catch.hpp>

namespace {

std::string shipped() {
    return *app::read_file(std::filesystem::path(PACKETBOAT_SOURCE_DIR) /
                           "examples/packetboat.conf");
}

app::Site mail_site() {
    app::Site site;
    site.domains = {"a.test", "second.test"};
    site.component = "mail.a.test";
    site.hostname = "mx.a.test";
    site.secret = "0123";
    site.assurance = "dialback";
    site.message_size_limit = 10240000;
    return site;
}

}  // namespace

TEST_CASE("a key is set where it stands, or where it is commented out, or at its section's end") {
    const std::string text = "[one]\na = 1\n# b = 2\n\n# about two\n[two]\na = 3\n";
    CHECK(app::with_key(text, "one", "a", "9") ==
          "[one]\na = 9\n# b = 2\n\n# about two\n[two]\na = 3\n");
    CHECK(app::with_key(text, "one", "b", "9") ==
          "[one]\na = 1\n# b = 2\nb = 9\n\n# about two\n[two]\na = 3\n");
    CHECK(app::with_key(text, "one", "c", "9") ==
          "[one]\na = 1\nc = 9\n# b = 2\n\n# about two\n[two]\na = 3\n");
    CHECK(app::with_key(text, "two", "a", "3") == text);
    CHECK(app::with_key(text, "three", "a", "9") == text + "\n[three]\na = 9\n");
    CHECK(app::with_key("[one]\n", "one", "a", "9") == "[one]\na = 9\n");
    CHECK(app::with_key("[one]", "one", "a", "9") == "[one]\na = 9");
    CHECK(app::value_of(text, "one", "a") == "1");
    CHECK(app::value_of(text, "one", "b").empty());
    CHECK(app::value_of(text, "none", "a").empty());
}

TEST_CASE("the example becomes a configuration for the site, which the program reads") {
    const std::string text = app::packetboat_conf(shipped(), mail_site());
    const support::Folder folder;
    const auto file = folder.path() / "packetboat.conf";
    std::ofstream(file) << text;
    const auto config = app::load_config(file, {});
    INFO((config ? std::string() : config.error().text));
    REQUIRE(config);
    CHECK(config->hostname == "mx.a.test");
    CHECK(config->authserv_id == "packetboat.a.test");
    REQUIRE(config->components.size() == 1);
    const auto& component = config->components.front();
    CHECK(component.jid == "mail.a.test");
    CHECK(component.secret == "0123");
    CHECK(component.domains.size() == 2);
    CHECK(component.max_size == 10240000);
    CHECK(component.assurance == component::Assurance::dialback);
    CHECK(app::packetboat_conf(text, mail_site()) == text);
    CHECK(app::component_in(text) == "mail.a.test");
    CHECK(app::component_in(shipped()).empty());
}

TEST_CASE("what an administrator has chosen stays") {
    std::string text = app::packetboat_conf(shipped(), mail_site());
    text = app::with_key(text, "daemon", "hostname", "other.a.test");
    text = app::with_key(text, "daemon", "authserv-id", "results.a.test");
    auto more = mail_site();
    more.domains = {"third.test"};
    more.message_size_limit = 0;
    const std::string after = app::packetboat_conf(text, more);
    CHECK(app::value_of(after, "daemon", "hostname") == "other.a.test");
    CHECK(app::value_of(after, "daemon", "authserv-id") == "results.a.test");
    CHECK(app::value_of(after, "component mail.a.test", "domains") ==
          "a.test second.test third.test");
    CHECK(app::value_of(after, "component mail.a.test", "max-size") == "10240000");
    // Another component is one beside this one.
    more.component = "mail.third.test";
    const std::string two = app::packetboat_conf(text, more);
    CHECK(app::value_of(two, "component mail.a.test", "domains") == "a.test second.test");
    CHECK(app::value_of(two, "component mail.third.test", "domains") == "third.test");
}

TEST_CASE("a secret in a file of its own stays there") {
    std::string text = app::packetboat_conf(shipped(), mail_site());
    const std::string header = "component mail.a.test";
    text.replace(text.find("secret = 0123"), 13, "secret-file = /etc/packetboat/secret");
    const std::string after = app::packetboat_conf(text, mail_site());
    CHECK(app::value_of(after, header, "secret").empty());
    CHECK(app::value_of(after, header, "secret-file") == "/etc/packetboat/secret");
}

TEST_CASE("less than the servers take, and another assurance, are somebody's choice") {
    std::string text = app::packetboat_conf(shipped(), mail_site());
    const std::string header = "component mail.a.test";
    text = app::with_key(text, header, "max-size", "5M");
    text = app::with_key(text, header, "max-stanza", "65536");
    text = app::with_key(text, header, "s2s-assurance", "none");
    CHECK(app::packetboat_conf(text, mail_site()) == text);
    auto strict = mail_site();
    strict.require_certificates = true;
    strict.assurance = "pkix";
    strict.max_stanza = 32768;
    const std::string after = app::packetboat_conf(text, strict);
    CHECK(app::value_of(after, header, "s2s-assurance") == "pkix");
    CHECK(app::value_of(after, header, "max-stanza") == "32768");
}
