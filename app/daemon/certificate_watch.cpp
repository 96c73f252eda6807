#include "app/daemon/certificate_watch.hpp"

#include "app/daemon/s2s_certificate.hpp"
#include "app/log.hpp"

#include <fmt/format.h>

namespace app {
namespace {

constexpr auto kPause = std::chrono::hours(24);

}  // namespace

base::Task<void> CertificateWatch::go_on() {
    while (!stopping_) {
        for (const auto& component : config_.components) {
            if (!component.retired && !stopping_) co_await look_at(component);
        }
        if (!stopping_) co_await stopping_signal_.wait(kPause);
    }
}

base::Task<void> CertificateWatch::look_at(const component::ComponentSettings& component) {
    const auto domain = mail::Domain::parse(component.jid);
    if (!domain) co_return;
    const auto servers = co_await component::find_servers(config_.discovery.resolver, *domain);
    if (!servers) co_return;
    for (const component::ServerAddress& server : *servers) {
        if (stopping_) break;
        const auto shown = co_await s2s_certificate(server, *domain);
        if (!shown) continue;
        const auto fault = certificate_fault(
            *shown, component.jid, component.assurance == component::Assurance::pkix, clock_.now());
        if (fault) {
            log::certificate_is_minded(component.jid,
                                       fmt::format("{}:{}", server.host, server.port), *fault);
        }
    }
}

void CertificateWatch::stop() {
    stopping_ = true;
    stopping_signal_.notify();
}

}  // namespace app
