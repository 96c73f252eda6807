#include "app/check/check_prosody.hpp"

#include <boost/json.hpp>
#include <catch2/catch.hpp>

namespace {

component::ComponentSettings prosody_component(component::Assurance assurance) {
    component::ComponentSettings settings;
    settings.jid = "mail.a.test";
    settings.max_stanza = 524288;
    settings.assurance = assurance;
    return settings;
}

/// What is said of a Prosody with these options and this section of the component's.
std::vector<std::string> prosody_faults_of(
    const std::string& options, const std::string& section = "",
    component::Assurance assurance = component::Assurance::pkix) {
    const std::string hosts = R"({"*": {)" + options +
                              R"(}, "mail.a.test": {"component_module": "component")" + section +
                              "}}";
    return app::faults_of_prosody({boost::json::parse(hosts).as_object(), {}},
                                  prosody_component(assurance));
}

const std::string kGoodProsody =
    R"("s2s_secure_auth": true, "limits": {"s2sin": {"rate": "10mb/s"}},
    "network_settings": {"nagle": false, "min_wait": 0})";

/// It alone, and it is of this.
bool is_only_prosody_fault(const std::vector<std::string>& found, const std::string& part) {
    return found.size() == 1 && found.front().find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a Prosody as in the example is in order") {
    CHECK(prosody_faults_of(kGoodProsody).empty());
}

TEST_CASE("what Prosody is not set for is said, each by itself") {
    CHECK(is_only_prosody_fault(prosody_faults_of(kGoodProsody, R"(, "name": "Mail")"),
                                "remove `name`"));
    CHECK(is_only_prosody_fault(
        prosody_faults_of(kGoodProsody + R"(, "s2s_stanza_size_limit": 262144)"),
        "more than 262144"));
    CHECK(is_only_prosody_fault(
        prosody_faults_of(kGoodProsody + R"(, "s2s_require_encryption": false)"),
        "s2s_secure_auth = true"));
    CHECK(is_only_prosody_fault(
        prosody_faults_of(kGoodProsody + R"(, "s2s_insecure_domains": ["c.test"])"), "of c.test"));
    std::string slow = kGoodProsody;
    slow.replace(slow.find("10mb/s"), 6, "30kb/s");
    CHECK(is_only_prosody_fault(prosody_faults_of(slow), "less than 10mb/s"));
    CHECK(is_only_prosody_fault(prosody_faults_of(R"("s2s_secure_auth": true)"), "nagle = false"));
}

TEST_CASE("who says no more than dialback need not demand certificates") {
    const std::string lax = R"("network_settings": {"nagle": false, "min_wait": 0})";
    CHECK(prosody_faults_of(lax).size() == 1);
    CHECK(prosody_faults_of(lax, "", component::Assurance::dialback).empty());
}
