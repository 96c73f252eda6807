#include "app/check/check_resolver.hpp"

#include "base/async.hpp"
#include "component/discovery/dns_channel.hpp"

#include <optional>

#include <ares.h>
#include <arpa/nameser.h>
#include <fmt/format.h>

namespace app {
namespace {

constexpr auto kTryTime = std::chrono::seconds(2);
constexpr auto kTime = std::chrono::seconds(10);

/// The status of c-ares.
int ask(const std::string& server) {
    base::asio::io_context io(1);
    int status = ARES_ETIMEOUT;
    base::spawn(io.get_executor(), "probe", [&]() -> base::Task<void> {
        bool is_answered = false;
        component::DnsChannel channel(server, kTryTime);
        if (!channel.is_open()) co_return;
        channel.ask(".", ns_t_ns, [&](int found, const unsigned char*, int) {
            // One that is let go at the end of its time is no answer.
            if (found != ARES_EDESTRUCTION && found != ARES_ECANCELLED) status = found;
            is_answered = true;
        });
        co_await channel.run([&] { return is_answered; }, kTime);
    });
    io.run();
    return status;
}

bool is_silence(int status) {
    return status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED;
}

}  // namespace

void check_resolver(Findings& findings, const Config& config) {
    const std::string& server = config.discovery.resolver;
    const int status = ask(server);
    const std::string who = server.empty() ? "that of the system" : server;
    findings.add(
        !is_silence(status),
        is_silence(status)
            ? fmt::format("resolver: {} does not answer ({}), so no other domain is found{}", who,
                          ares_strerror(status),
                          server.empty() ? ": see /etc/resolv.conf"
                                         : "; without `resolver` the system's is asked")
            : fmt::format("resolver: {} answers", who));
}

}  // namespace app
