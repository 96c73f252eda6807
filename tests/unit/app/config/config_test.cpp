#include "app/config/config.hpp"

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

namespace {

/// A configuration file of its own for each test.
class ConfigFile {
  public:
    explicit ConfigFile(const std::string& text) {
        std::string name =
            (std::filesystem::temp_directory_path() / "packetboat-conf-XXXXXX").string();
        const int fd = ::mkstemp(name.data());
        if (fd < 0) throw std::runtime_error("no temporary file");
        ::close(fd);
        path = name;
        std::ofstream(path) << text;
    }
    ~ConfigFile() { std::filesystem::remove(path); }
    std::filesystem::path path;
};

const std::string kGood =
    "# a comment\n"
    "[daemon]\n"
    "hostname = mx.a.test   # of this host\n"
    "\n"
    "[component mail.a.test]\n"
    "secret = s#cret\n"
    "domains = a.test, B\xC3\xBC"
    "cher.test\n"
    "s2s-assurance = pkix\n"
    "[intake postfix]\n"
    "listen = 127.0.0.1:2424\n"
    "[hand-over]\n"
    "deliver-to = lmtp:unix:/run/dovecot/lmtp\n";

base::Result<app::Config> load(const std::string& text, const app::Overrides& overrides = {}) {
    const ConfigFile file(text);
    auto config = app::load_config(file.path, overrides);
    if (config) return config;
    // The file's name is the test's own: what follows it is of interest.
    std::string error = config.error().text;
    if (error.starts_with(file.path.string())) error.erase(0, file.path.string().size());
    return base::fail(config.error().code, error);
}

std::string error_of(const std::string& text) {
    const auto config = load(text);
    return config ? "no error" : config.error().text;
}

}  // namespace

TEST_CASE("a secret that is for the service alone keeps no other command from its work") {
    std::string text = kGood;
    text.replace(text.find("secret = s#cret"), 15, "secret-file = /run/credentials/none/secret");
    const ConfigFile file(text);
    CHECK_FALSE(app::load_config(file.path, {}));
    const auto config = app::load_config(file.path, {}, app::SecretPolicy::if_readable);
    REQUIRE(config);
    CHECK(config->components.front().secret.empty());
    CHECK(config->unread_secrets ==
          std::set<std::filesystem::path>{"/run/credentials/none/secret"});
}

TEST_CASE("a short file is enough, and the rest has sensible defaults") {
    const auto config = load(kGood);
    REQUIRE(config);
    CHECK(config->hostname == "mx.a.test");
    CHECK(config->authserv_id == "mx.a.test");
    CHECK(config->store.directory == "/var/lib/packetboat");
    CHECK(config->store.retry.first == std::chrono::minutes(5));
    CHECK(config->store.expire_after == std::chrono::hours(120));
    REQUIRE(config->components.size() == 1);
    CHECK(config->components[0].jid == "mail.a.test");
    CHECK(config->components[0].secret == "s#cret");
    CHECK(config->components[0].port == 5347);
    CHECK(config->components[0].assurance == component::Assurance::pkix);
    REQUIRE(config->components[0].domains.size() == 2);
    CHECK(config->components[0].domains[1].ascii() == "xn--bcher-kva.test");
    REQUIRE(config->intakes.size() == 1);
    CHECK(config->intakes[0].hostname == "mx.a.test");
    CHECK(config->intakes[0].networks.size() == 2);
    // What is too large for XMPP goes by SMTP: it is not the intake that stops it.
    CHECK(config->intakes[0].max_size >= std::size_t{100} << 30);
    CHECK(config->components[0].max_size == 50u << 20);
    REQUIRE(config->deliver_to.at("").size() == 1);
    CHECK(config->deliver_to.at("")[0].to_text() == "lmtp:unix:/run/dovecot/lmtp");
    CHECK(config->return_to.empty());
    CHECK(config->check_recipients);
    CHECK_FALSE(config->route_lookup);

    const queue::Router router = app::make_router(*config);
    CHECK(router.serves(*mail::Domain::parse("a.test")));
    CHECK(router.sending_domain(std::nullopt, "mail.a.test")->ascii() == "a.test");
}

TEST_CASE("REQUIRETLS is kept only where the component's link goes over no network") {
    const auto keeps = [](const std::string& server, const std::string& assurance = "pkix") {
        std::string text = kGood;
        text.replace(text.find("s2s-assurance = pkix"), 20,
                     "s2s-assurance = " + assurance + "\nserver = " + server);
        const auto config = load(text);
        REQUIRE(config);
        return config->components[0].requiretls;
    };
    CHECK(keeps("127.0.0.1:5347"));
    CHECK(keeps("[::1]:5347"));
    CHECK(keeps("localhost:5347"));
    CHECK_FALSE(keeps("192.0.2.1:5347"));
    CHECK_FALSE(keeps("xmpp.a.test:5347"));
    CHECK_FALSE(keeps("127.0.0.1.a.test:5347"));
    CHECK_FALSE(keeps("127.0.0.1:5347", "dialback"));
    // Nor does a last hop that goes over a network in the clear.
    const auto in_the_clear = load(kGood + "[domain a.test]\ndeliver-to = smtp:192.0.2.1:25\n");
    REQUIRE(in_the_clear);
    CHECK_FALSE(in_the_clear->components[0].requiretls);
    // An intake without TLS of its own can't promise it, however private the links are.
    CHECK_FALSE(load(kGood)->intakes[0].requiretls);
}

TEST_CASE("what counts as a refusal of a mail's content is patterns, or none") {
    const auto counts = [](const std::string& line, const char* text) {
        const auto config = load(kGood + line);
        REQUIRE(config);
        return config->store.content_refusals.has({554, {5, 7, 1}, text});
    };
    CHECK(counts("", "Spam message rejected"));
    CHECK_FALSE(counts("", "Gtube pattern"));
    CHECK(counts("content-refusal = 5.7.1 gtube, 5.7.1 virus\n", "Gtube pattern"));
    CHECK_FALSE(counts("content-refusal = 5.7.1 gtube\n", "Spam message rejected"));
    CHECK_FALSE(counts("content-refusal = none\n", "Spam message rejected"));
    CHECK(error_of(kGood + "content-refusal = 5.7.1 virus, 4.7.1 spam\n") ==
          ":13: content-refusal: \"4.7.1 spam\" does not begin with a status such as 5.7.1 or "
          "5.7.*");
}

TEST_CASE("durations and sizes are read with their units") {
    const auto config =
        load(kGood + "[queue]\nfirst-retry = 1500ms\nmax-retry = 2h\nhistory = 3d\n");
    REQUIRE(config);
    CHECK(config->store.retry.first == std::chrono::milliseconds(1500));
    CHECK(config->store.retry.most == std::chrono::hours(2));
    CHECK(config->store.history == std::chrono::hours(72));
    const auto sized = load(kGood + "[intake other]\nlisten = unix:/run/x\nmax-size = 2M\n");
    REQUIRE(sized);
    CHECK(sized->intakes[1].max_size == 2u << 20);
}

TEST_CASE("the command line goes before the file") {
    const auto config =
        load(kGood, {{"daemon", {{"log-level", "debug"}, {"state-directory", "/srv/q"}}}});
    REQUIRE(config);
    CHECK(config->log_level == base::log::Level::debug);
    CHECK(config->store.directory == "/srv/q");
}

TEST_CASE("what is wrong is said with its line") {
    CHECK(error_of(kGood + "[queue]\nfrist-retry = 5m\n") == ":14: unknown key in [queue]");
    CHECK(error_of(kGood + "[que]\n") == ":13: unknown section");
    CHECK(error_of(kGood + "[queue]\nfirst-retry = 5 minutes\n")
              .starts_with(":14: \"5 minutes\" is no good value for first-retry: a duration"));
    for (const char* const bad : {"0s", "400d", "9000000000h", "s", "5", "-5m", "5m3"}) {
        CAPTURE(bad);
        CHECK(error_of(kGood + "[queue]\nmax-retry = " + bad + "\n").starts_with(":14: \""));
    }
    CHECK(
        error_of(kGood + "[intake x]\nlisten = unix:/x\nmax-size = 2000G\n").starts_with(":15: "));
    CHECK(error_of(kGood + "[queue]\nfirst-retry = 5h\nmax-retry = 1h\n") ==
          ":15: max-retry is shorter than first-retry");
    CHECK(error_of(kGood + "deliver-to = smtp:127.0.0.1:25\n") ==
          ":13: deliver-to is set a second time");
    CHECK(error_of(kGood + "[hand-over]\n") == ":13: [hand-over] stands here a second time");
    CHECK(error_of(kGood + "[intake]\n") == ":13: [intake] needs a name");
    CHECK(error_of(kGood + "[queue x]\n") == ":13: [queue] takes no name");
    CHECK(error_of(kGood + "[intake x]\nprotocol = smtp\n") == ":13: [intake] needs listen");
    CHECK(error_of(kGood + "[intake x]\nlisten = nowhere\n").starts_with(":14: listen: "));
    CHECK(error_of(kGood + "[intake x]\nlisten = 127.0.0.1:1\nprotocol = uucp\n") ==
          ":15: \"uucp\" is no good value for protocol: one of lmtp, smtp");
    CHECK(error_of(kGood + "[component mail.c.test]\nsecret = x\ndomains = a.test\n") ==
          ":15: a.test is served twice");
    CHECK(error_of(kGood + "[component mail.c.test]\ndomains = c.test\n") ==
          ":13: [component mail.c.test] needs either secret or secret-file");
    CHECK(error_of(kGood + "[component mail.c.test]\nsecret-file = /nowhere\ndomains = c.test\n") ==
          ":14: secret-file: can't read a secret from /nowhere");
    CHECK(error_of(kGood + "[component mail.c.test]\nsecret = x\ndomains = c_test\n")
              .starts_with(":15: domains: "));
    CHECK(error_of(kGood + "[queue]\nexpire-after = 7d\n")
              .starts_with(":14: expire-after: at most 6d"));
    CHECK(error_of(kGood + "[discovery]\npositive-ttl = 2d\n") == ":14: positive-ttl: at most 24h");
    CHECK(error_of(kGood + "[component MAIL.a.test]\nsecret = x\ndomains = c.test\n") ==
          ":13: [component mail.a.test] stands here a second time");
    CHECK(error_of(kGood + "return-to = lmtp:unix:/run/dovecot/lmtp\n") ==
          ": return-to and deliver-to are the same");
    CHECK(error_of(kGood + "return-to = smtp:127.0.0.1:2424\n") ==
          ": return-to is our own [intake postfix]");
    CHECK(error_of(kGood + "[queue]\nhistory\n") == ":14: not of the form \"key = value\"");
    CHECK(error_of(kGood + "[queue]\nhistory =\n") == ":14: history has no value");
    CHECK(error_of("hostname = x\n") == ":1: a [section] has to come first");
    CHECK(error_of("[daemon]\nhostname = mx.a.test\n").find("no [component ...] section") !=
          std::string::npos);
    CHECK(error_of(std::string(20000, 'x')) == ":1: the line is too long");
}

TEST_CASE("no error quotes what may be a secret") {
    const std::string secret = "hunter2";
    for (const std::string& line :
         {secret, secret + "=", secret + " = x", "= " + secret, "secret " + secret,
          "secret: " + secret, "secert = " + secret, "secret = a\nsecret = " + secret,
          "secret = a\n" + secret, "secret = " + secret + "\nsecret-file = /nowhere",
          "secret = a\n " + secret + "==", "[" + secret, "[" + secret + "]", "[component " + secret,
          "[a " + secret + " c]", secret + std::string(20000, 'x')}) {
        CAPTURE(line);
        const std::string error =
            error_of("[daemon]\nhostname = mx.a.test\n[component mail.a.test]\ndomains = a.test\n" +
                     line + "\n[intake x]\nlisten = unix:/run/x\n[hand-over]\ndeliver-to = " +
                     "smtp:127.0.0.1:25\n");
        CHECK(error.starts_with(":"));
        CHECK(error.find(secret) == std::string::npos);
    }
}

TEST_CASE("a file that is not there is named") {
    const auto config = app::load_config("/nowhere/packetboat.conf", {});
    REQUIRE_FALSE(config);
    CHECK(config.error().text == "/nowhere/packetboat.conf: can't read this file");
    CHECK_FALSE(app::load_config("/tmp", {}));
}

TEST_CASE("internationalised names are taken in either spelling, and are one") {
    const auto with = [](const std::string& old, const std::string& text) {
        std::string changed = kGood;
        changed.replace(changed.find(old), old.size(), text);
        return changed;
    };
    const std::string buecher =
        "b\xC3\xBC"
        "cher.test";
    for (const std::string name : {"post.xn--bcher-kva.test",
                                   "post.B\xC3\x9C"
                                   "CHER.test"}) {
        const auto config = load(with("mail.a.test", name));
        REQUIRE(config);
        CHECK(config->components[0].jid == "post." + buecher);
    }
    const auto mx = load(with("mx.a.test", "mx." + buecher));
    REQUIRE(mx);
    CHECK(mx->hostname == "mx.xn--bcher-kva.test");
    CHECK(error_of(with("a.test, ", "xn--bcher-kva.test, ")).find("is served twice") !=
          std::string::npos);
    const auto policy = load(kGood +
                             "[domain P\xC3\x84"
                             "rchen.test]\npolicy = require\n");
    REQUIRE(policy);
    CHECK(policy->lanes.of("xn--prchen-bua.test").required);
    CHECK(error_of(kGood + "[domain xn--prchen-bua.test]\npolicy = require\n[domain p\xC3\xA4"
                           "rchen.test]\n"
                           "policy = prefer\n")
              .find("stands here a second time") != std::string::npos);
    CHECK(error_of(
              kGood + "[component mail." + buecher +
              "]\nsecret = x\ndomains = c.test\n[component mail.xn--bcher-kva.test]\nsecret = x\n"
              "domains = d.test\n")
              .find("stands here a second time") != std::string::npos);
}

TEST_CASE("a promise is for domains that are served, over links that are proved") {
    using namespace std::chrono_literals;
    const auto promising = load(kGood + "[promise]\ndomains = a.test\ndays = 14\n");
    REQUIRE(promising);
    const auto& terms = promising->promises.at("mail.a.test");
    CHECK(terms.domains == std::set{*mail::Domain::parse("a.test")});
    CHECK(terms.lasts == 14 * 24h);
    CHECK(load(kGood)->promises.empty());
    CHECK(load(kGood + "[promise]\ndomains = a.test\n")->promises.at("mail.a.test").lasts ==
          7 * 24h);

    const auto wrong = [](const std::string& more) { return error_of(kGood + more); };
    CHECK(wrong("[promise]\n").starts_with(":13: [promise] needs domains"));
    CHECK(wrong("[promise]\ndomains = a.test sub.a.test\n")
              .starts_with(":14: sub.a.test is served by no component here"));
    CHECK(
        wrong("[promise]\ndomains = a.test A.test\n").starts_with(":14: a.test stands here twice"));
    for (const char* const days : {"0", "15", "7d"})
        CHECK(wrong(std::string("[promise]\ndomains = a.test\ndays = ") + days + "\n")
                  .starts_with(":15: "));
    CHECK(wrong("[component mail.c.test]\nsecret = x\ndomains = c.test\n"
                "[promise]\ndomains = c.test\n")
              .starts_with(":17: c.test: a promise counts only over links with s2s-assurance"));
    CHECK(wrong("[promise]\ndomains = a.test\n[domain b.test]\nfallback-after = 1h\n")
              .starts_with(":16: [domain b.test] may go by SMTP"));
    CHECK(wrong("[promise]\ndomains = a.test\n[domain b.test]\npolicy = prefer\n")
              .starts_with(":16: [domain b.test] may go by SMTP"));
    CHECK(load(kGood + "[promise]\ndomains = a.test\n[domain b.test]\npolicy = require\n")
              .has_value());
}
