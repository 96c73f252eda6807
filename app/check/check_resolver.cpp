#include "app/check/check_resolver.hpp"

#include "app/answer_of.hpp"
#include "component/discovery/resolver.hpp"

#include <fmt/format.h>

namespace app {

void check_resolver(Findings& findings, const Config& config) {
    const std::string& server = config.discovery.resolver;
    const auto answers = answer_of<void>([&] { return component::probe_resolver(server); });
    const std::string who = server.empty() ? "that of the system" : server;
    if (answers) return findings.add(true, fmt::format("resolver: {} answers", who));
    findings.add(
        false, fmt::format("resolver: {} does not answer ({}), so no other domain is found{}", who,
                           answers.error().text,
                           server.empty() ? ": see /etc/resolv.conf"
                                          : "; without `resolver` the system's is asked"));
}

}  // namespace app
