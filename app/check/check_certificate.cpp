#include "app/check/check_certificate.hpp"

#include "app/answer_of.hpp"
#include "app/daemon/s2s_certificate.hpp"

#include <fmt/format.h>

namespace app {
namespace {

void look_at(Findings& findings, const component::ComponentSettings& component,
             const component::ServerAddress& server, const mail::Domain& domain) {
    const std::string what = fmt::format("component {}: the certificate at {}:{}", component.jid,
                                         server.host, server.port);
    const auto certificate =
        answer_of<S2sCertificate>([&] { return s2s_certificate(server, domain); });
    if (!certificate && certificate.error().code == base::Errc::timeout) {
        // A router often does not lead back in; others may well get there.
        return findings.add(true, fmt::format("{}: not looked at, as it does not answer this "
                                              "machine; do others get there?",
                                              what));
    }
    if (!certificate) {
        return findings.add(
            false, fmt::format("{}: other servers look for it there, and they can't reach it: {}",
                               what, certificate.error().text));
    }
    const auto fault = certificate_fault(*certificate, component.jid,
                                         component.assurance == component::Assurance::pkix,
                                         base::SystemClock().now());
    findings.add(!fault,
                 fmt::format("{}: {}", what,
                             fault.value_or("until " + base::to_datetime(certificate->ends))));
}

}  // namespace

void check_certificates(Findings& findings, const Config& config) {
    for (const auto& component : config.components) {
        const auto domain = mail::Domain::parse(component.jid);
        if (component.retired || !domain) continue;
        const auto servers = answer_of<std::vector<component::ServerAddress>>(
            [&] { return component::find_servers(config.discovery.resolver, *domain); });
        if (!servers) {
            const auto& why = servers.error();
            findings.add(false,
                         why.code == base::Errc::not_found
                             ? fmt::format("component {}: others find no server for it "
                                           "(_xmpp-server._tcp.{}): {}",
                                           component.jid, domain->ascii(), why.text)
                             : fmt::format("component {}: the DNS does not say where its server is "
                                           "(_xmpp-server._tcp.{}): {}",
                                           component.jid, domain->ascii(), why.text));
            continue;
        }
        for (const auto& server : *servers)
            look_at(findings, component, server, *domain);
    }
}

}  // namespace app
