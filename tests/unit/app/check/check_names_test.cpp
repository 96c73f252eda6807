#include "app/check/check_names.hpp"

#include <catch2/catch.hpp>

TEST_CASE("names and the secret of the example are told of") {
    const auto is_good = [](const char* hostname, const char* jid, const char* domain,
                            const char* secret) {
        app::Config config;
        config.hostname = config.authserv_id = hostname;
        component::ComponentSettings component;
        component.jid = jid;
        component.secret = secret;
        component.domains = {*mail::Domain::parse(domain)};
        config.components = {component};
        app::Findings findings;
        app::check_names(findings, config);
        return findings.exit_status() == 0;
    };
    CHECK(is_good("mx.a.test", "mail.a.test", "a.test", "s"));
    CHECK(is_good("mx.counterexample.org", "mail.a.test", "a.test", "s"));
    CHECK_FALSE(is_good("mx.example.org", "mail.a.test", "a.test", "s"));
    CHECK_FALSE(is_good("mx.a.test", "mail.example.com", "a.test", "s"));
    CHECK_FALSE(is_good("mx.a.test", "mail.a.test", "example.net", "s"));
    CHECK_FALSE(is_good("mx.a.test", "mail.a.test", "a.test", "change-me"));
}
