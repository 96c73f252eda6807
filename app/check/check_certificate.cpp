#include "app/check/check_certificate.hpp"

#include "app/daemon/s2s_certificate.hpp"

#include <fmt/format.h>

namespace app {
namespace {

using Shown = base::Result<std::vector<ShownCertificate>>;

Shown shown_of(const Config& config, const mail::Domain& domain) {
    std::optional<Shown> found;
    base::asio::io_context io(1);
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        auto shown = co_await s2s_certificates(config.discovery.resolver, domain);
        found.emplace(std::move(shown));
    });
    io.run();
    if (!found) return base::fail(base::Errc::timeout, "it can't be asked");
    return std::move(*found);
}

void look_at(Findings& findings, const component::ComponentSettings& component,
             const ShownCertificate& shown) {
    const std::string where = fmt::format("{}:{}", shown.server.host, shown.server.port);
    const auto& certificate = shown.certificate;
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
        const auto all = shown_of(config, *domain);
        if (!all) {
            findings.add(false, fmt::format("component {}: the DNS has no server for it "
                                            "(_xmpp-server._tcp.{}): {}",
                                            component.jid, domain->ascii(), all.error().text));
            continue;
        }
        for (const ShownCertificate& shown : *all)
            look_at(findings, component, shown);
    }
}

}  // namespace app
