#include "app/check/check_ejabberd.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace app {
namespace {

constexpr const char* kFile = "/etc/ejabberd/ejabberd.yml";
constexpr std::uint64_t kQuickRetry = 10;  // seconds

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

/// It may connect there.
bool serves(const EjabberdService& service, const component::ComponentSettings& component) {
    return service.has_host(component.jid) ||
           (service.hosts.empty() && service.port == component.port);
}

/// May somebody else speak for it?
void add_speakers(std::vector<std::string>& faults, const EjabberdConfig& ejabberd,
                  const EjabberdService& here, const std::string& jid) {
    const std::string others = siblings(ejabberd.services, jid);
    if (here.hosts.empty()) {
        faults.push_back(
            fmt::format("ejabberd's listener on port {} takes any component that "
                        "knows its password; name ours alone under its hosts",
                        here.port));
    } else if (!others.empty()) {
        faults.push_back(
            fmt::format("ejabberd lets {} speak for it, as they share a listener; "
                        "give each a listener of its own",
                        others));
    }
    for (const auto& service : ejabberd.services) {
        if (service.check_from) continue;
        faults.push_back(
            fmt::format("ejabberd lets the components on port {} speak for it; remove "
                        "`check_from: false` there",
                        service.port));
    }
}

}  // namespace

std::vector<std::string> faults_of_ejabberd(const EjabberdConfig& ejabberd,
                                            const component::ComponentSettings& component) {
    const auto here = std::ranges::find_if(
        ejabberd.services, [&](const auto& service) { return serves(service, component); });
    std::vector<std::string> faults;
    if (here == ejabberd.services.end()) return faults;
    add_speakers(faults, ejabberd, *here, component.jid);
    const std::uint64_t max_stanza = std::min(here->max_stanza, ejabberd.max_stanza);
    if (component.max_stanza > max_stanza) {
        faults.push_back(
            fmt::format("max-stanza is {}, and ejabberd ends the link at more than {} "
                        "(max_stanza_size): make the first no larger",
                        component.max_stanza, max_stanza));
    }
    const bool is_pkix = component.assurance == component::Assurance::pkix;
    if (is_pkix && (!ejabberd.requires_tls() || ejabberd.takes_dialback())) {
        faults.emplace_back(
            "s2s-assurance is pkix, and ejabberd takes links of servers without a valid "
            "certificate: s2s_use_starttls: required and no mod_s2s_dialback make it so; or say "
            "dialback");
    }
    if (ejabberd.max_retry_delay > kQuickRetry) {
        faults.push_back(
            fmt::format("ejabberd bounces all mail for a peer for up to {} s after "
                        "one failed dial: s2s_max_retry_delay: 1",
                        ejabberd.max_retry_delay));
    }
    return faults;
}

void check_ejabberd(Findings& findings, const Config& config) {
    std::error_code error;
    const bool exists = std::filesystem::exists(kFile, error);
    if (error == std::errc::permission_denied) {
        return findings.add(true, fmt::format("ejabberd: not looked at, as {} can't be read; "
                                              "root can",
                                              kFile));
    }
    if (!exists) return;
    const auto ejabberd = read_ejabberd(kFile);
    // Another server's left-overs do no harm.
    if (!ejabberd) return findings.add(true, "ejabberd: not looked at: " + ejabberd.error().text);
    for (const auto& component : config.components) {
        const bool is_here = std::ranges::any_of(
            ejabberd->services, [&](const auto& service) { return serves(service, component); });
        if (!is_here) continue;
        findings.add_server("ejabberd", component.jid, faults_of_ejabberd(*ejabberd, component));
    }
}

}  // namespace app
