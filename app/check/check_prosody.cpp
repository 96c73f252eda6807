#include "app/check/check_prosody.hpp"

#include <fmt/format.h>

namespace app {
namespace {

/// What it says of its links, and what Prosody makes true of them.
void add_assurance(std::vector<std::string>& faults, const ProsodyConfig& prosody,
                   const component::ComponentSettings& component) {
    if (component.assurance != component::Assurance::pkix) return;
    if (!prosody.requires_certificates()) {
        faults.emplace_back(
            "s2s-assurance is pkix, and Prosody takes links of servers without a valid "
            "certificate: "
            "s2s_secure_auth = true and s2s_require_encryption = true make it so; or say dialback");
    }
    for (const auto& domain : prosody.insecure_domains()) {
        faults.push_back(
            fmt::format("s2s-assurance is pkix, and Prosody demands no certificate of {} "
                        "(s2s_insecure_domains)",
                        domain));
    }
}

}  // namespace

std::vector<std::string> faults_of_prosody(const ProsodyConfig& prosody,
                                           const component::ComponentSettings& component) {
    std::vector<std::string> faults;
    const boost::json::value* const name = prosody.find(component.jid, "name");
    if (name != nullptr && name->is_string()) {
        faults.emplace_back(
            "it has a name, so that Prosody answers for it while Packetboat is down, and peers "
            "find "
            "no mail here then: remove `name` from its section");
    }
    if (component.max_stanza > prosody.max_stanza()) {
        faults.push_back(fmt::format(
            "max-stanza is {}, and Prosody ends the link at more than {} "
            "(component_stanza_size_limit, s2s_stanza_size_limit): make the first no larger",
            component.max_stanza, prosody.max_stanza()));
    }
    add_assurance(faults, prosody, component);
    if (prosody.is_slow()) {
        faults.push_back(
            fmt::format("Prosody holds the link of another server to less than {}: "
                        "raise the rate of s2sin in `limits`",
                        kQuickLinkText));
    }
    if (prosody.is_paced()) {
        faults.emplace_back(
            "Prosody waits before it writes, and bulk traffic stalls: network_settings = { nagle = "
            "false, min_wait = 0 }");
    }
    return faults;
}

void check_prosody(Findings& findings, const Config& config) {
    std::error_code error;
    const bool exists = std::filesystem::exists(kProsodyFile, error);
    if (!exists && error != std::errc::permission_denied) return;
    const auto prosody = read_prosody();
    if (!prosody) {
        return findings.add(true, fmt::format("Prosody: not looked at ({}); root may see more",
                                              prosody.error().text));
    }
    for (const auto& component : config.components) {
        if (!prosody->has_external_component(component.jid)) continue;
        findings.add_server("Prosody", component.jid, faults_of_prosody(*prosody, component));
    }
}

}  // namespace app
