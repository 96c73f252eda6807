#include "app/check/check_resolver.hpp"

#include "component/discovery/resolver.hpp"

#include <optional>

#include <fmt/format.h>

namespace app {

void check_resolver(Findings& findings, const Config& config) {
    const std::string& server = config.discovery.resolver;
    base::asio::io_context io(1);
    std::optional<base::Result<void>> answers;
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        base::Result<void> found = co_await component::probe_resolver(server);
        answers.emplace(std::move(found));
    });
    io.run();
    const std::string who = server.empty() ? "that of the system" : server;
    if (answers && *answers) return findings.add(true, fmt::format("resolver: {} answers", who));
    findings.add(
        false, fmt::format("resolver: {} does not answer ({}), so no other domain is found{}", who,
                           answers ? answers->error().text : std::string("it can't be asked"),
                           server.empty() ? ": see /etc/resolv.conf"
                                          : "; without `resolver` the system's is asked"));
}

}  // namespace app
