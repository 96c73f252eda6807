#include "app/check/check_ejabberd.hpp"

#include "app/servers/ejabberd_config.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace app {
namespace {

constexpr const char* kFile = "/etc/ejabberd/ejabberd.yml";

/// The other components of the listeners that `jid` may connect to.
std::string siblings(const std::vector<EjabberdService>& services, const std::string& jid) {
    std::string names;
    for (const auto& service : services) {
        if (!service.has_host(jid)) continue;
        for (const auto& host : service.hosts) {
            if (host != jid) names += (names.empty() ? "" : ", ") + host;
        }
    }
    return names;
}

void check_component(Findings& findings, const std::vector<EjabberdService>& services,
                     const component::ComponentSettings& component) {
    const auto here = std::find_if(services.begin(), services.end(), [&](const auto& service) {
        return service.has_host(component.jid) ||
               (service.hosts.empty() && service.port == component.port);
    });
    if (here == services.end()) return;
    const std::string others = siblings(services, component.jid);
    if (here->hosts.empty()) {
        findings.add(false, fmt::format("component {}: ejabberd's listener on port {} takes any "
                                        "component that knows its password; name ours alone "
                                        "under its hosts",
                                        component.jid, here->port));
    } else if (!others.empty()) {
        findings.add(false, fmt::format("component {}: ejabberd lets {} speak for it, as they "
                                        "share a listener; give each a listener of its own",
                                        component.jid, others));
    } else {
        findings.add(true, fmt::format("component {}: has a listener of ejabberd's for itself",
                                       component.jid));
    }
    for (const auto& service : services) {
        if (service.check_from) continue;
        findings.add(false, fmt::format("component {}: ejabberd lets the components on port {} "
                                        "speak for it; remove `check_from: false` there",
                                        component.jid, service.port));
    }
}

}  // namespace

void check_ejabberd(Findings& findings, const Config& config) {
    std::error_code error;
    const bool exists = std::filesystem::exists(kFile, error);
    if (error == std::errc::permission_denied) {
        return findings.add(true, fmt::format("ejabberd: not looked at, as {} can't be read; "
                                              "root can",
                                              kFile));
    }
    if (!exists) return;
    const auto services = read_ejabberd_services(kFile);
    // Another server's left-overs do no harm.
    if (!services) return findings.add(true, "ejabberd: not looked at: " + services.error().text);
    for (const auto& component : config.components)
        check_component(findings, *services, component);
}

}  // namespace app
