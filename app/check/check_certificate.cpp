#include "app/check/check_certificate.hpp"

#include "app/check/s2s_certificate.hpp"
#include "base/async.hpp"

#include <fmt/format.h>

namespace app {
namespace {

using Servers = base::Result<std::vector<component::ServerAddress>>;

Servers servers_of(const Config& config, const mail::Domain& domain) {
    std::optional<Servers> found;
    base::asio::io_context io(1);
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        auto servers = co_await component::find_servers(config.discovery.resolver, domain);
        found.emplace(std::move(servers));
    });
    io.run();
    if (!found) return base::fail(base::Errc::timeout, "it can't be asked");
    return std::move(*found);
}

void check_server(Findings& findings, const component::ComponentSettings& component,
                  const component::ServerAddress& server, const std::string& ascii) {
    const std::string where = fmt::format("{}:{}", server.host, server.port);
    const auto certificate = s2s_certificate(server, component.jid, ascii);
    if (!certificate) {
        return findings.add(
            false, fmt::format("component {}: other servers look for it at {}, and from this "
                               "machine it can't be reached there: {}",
                               component.jid, where, certificate.error().text));
    }
    const auto fault = certificate_fault(*certificate, component.jid,
                                         component.assurance == component::Assurance::pkix,
                                         base::SystemClock().now());
    findings.add(!fault,
                 fmt::format("component {}: the certificate at {}: {}", component.jid, where,
                             fault.value_or("until " + base::to_datetime(certificate->ends))));
}

}  // namespace

void check_certificates(Findings& findings, const Config& config) {
    for (const auto& component : config.components) {
        const auto domain = mail::Domain::parse(component.jid);
        if (component.retired || !domain) continue;
        const auto servers = servers_of(config, *domain);
        if (!servers) {
            findings.add(false, fmt::format("component {}: the DNS has no server for it "
                                            "(_xmpp-server._tcp.{}): {}",
                                            component.jid, domain->ascii(), servers.error().text));
            continue;
        }
        for (const auto& server : *servers)
            check_server(findings, component, server, domain->ascii());
    }
}

}  // namespace app
