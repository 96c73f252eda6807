#include "app/check/check_ejabberd.hpp"

#include <catch2/catch.hpp>

namespace {

component::ComponentSettings ejabberd_component(component::Assurance assurance) {
    component::ComponentSettings settings;
    settings.jid = "mail.a.test";
    settings.port = 5347;
    settings.max_stanza = 524288;
    settings.assurance = assurance;
    return settings;
}

/// As examples/ejabberd/packetboat.yml has it.
app::EjabberdConfig good_ejabberd() {
    app::EjabberdConfig config;
    app::EjabberdService service;
    service.port = 5347;
    service.hosts = {"mail.a.test"};
    service.max_stanza = 524288;
    config.services = {service};
    config.max_stanza = 524288;
    config.starttls = "required";
    config.max_retry_delay = 1;
    return config;
}

bool is_only_ejabberd_fault(const app::EjabberdConfig& config, const std::string& part) {
    const auto faults =
        app::faults_of_ejabberd(config, ejabberd_component(component::Assurance::pkix));
    return faults.size() == 1 && faults.front().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an ejabberd as in the example is in order") {
    CHECK(app::faults_of_ejabberd(good_ejabberd(), ejabberd_component(component::Assurance::pkix))
              .empty());
}

TEST_CASE("who else may speak for the component is said") {
    auto config = good_ejabberd();
    config.services.front().hosts.emplace_back("other.a.test");
    CHECK(is_only_ejabberd_fault(config, "lets other.a.test speak for it"));
    config = good_ejabberd();
    config.services.front().hosts.clear();
    CHECK(is_only_ejabberd_fault(config, "takes any component"));
    config = good_ejabberd();
    config.services.emplace_back();
    config.services.back().hosts = {"other.a.test"};
    config.services.back().check_from = false;
    CHECK(is_only_ejabberd_fault(config, "check_from: false"));
}

TEST_CASE("what ejabberd is not set for is said, each by itself") {
    auto config = good_ejabberd();
    config.max_stanza = 262144;
    CHECK(is_only_ejabberd_fault(config, "more than 262144"));
    config = good_ejabberd();
    config.services.front().max_stanza = 65536;
    CHECK(is_only_ejabberd_fault(config, "more than 65536"));
    config = good_ejabberd();
    config.starttls = "optional";
    CHECK(is_only_ejabberd_fault(config, "s2s_use_starttls: required"));
    config = good_ejabberd();
    config.modules.insert("mod_s2s_dialback");
    CHECK(is_only_ejabberd_fault(config, "no mod_s2s_dialback"));
    CHECK(app::faults_of_ejabberd(config, ejabberd_component(component::Assurance::dialback))
              .empty());
    config = good_ejabberd();
    config.max_retry_delay = 300;
    CHECK(is_only_ejabberd_fault(config, "up to 300 s"));
}

TEST_CASE("of a component that is not in it, nothing is said") {
    auto config = good_ejabberd();
    config.services.front().hosts = {"mail.b.test"};
    config.max_retry_delay = 300;
    CHECK(app::faults_of_ejabberd(config, ejabberd_component(component::Assurance::pkix)).empty());
}
