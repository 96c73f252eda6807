#include "app/daemon/activation.hpp"

#include <boost/asio.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

namespace app {
namespace {

/// As Endpoint::to_text has it; empty for what we can't listen on.
std::string endpoint_of(int descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
    if (address.ss_family == AF_UNIX) {
        const auto* const unix_address = reinterpret_cast<const sockaddr_un*>(&address);
        return std::string("unix:") + unix_address->sun_path;
    }
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return {};
    base::asio::ip::tcp::endpoint tcp;
    std::memcpy(tcp.data(), &address, length);
    const bool v6 = tcp.address().is_v6();
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", tcp.address().to_string(), v6 ? "]" : "",
                       tcp.port());
}

}  // namespace

Activation::Activation() {
    const int count = sd_listen_fds(1);
    for (int i = 0; i < count; ++i) {
        const int descriptor = SD_LISTEN_FDS_START + i;
        if (auto endpoint = endpoint_of(descriptor); !endpoint.empty())
            sockets_.emplace(std::move(endpoint), descriptor);
    }
}

std::optional<int> Activation::socket_of(const smtp_bridge::Endpoint& endpoint) const {
    const auto found = sockets_.find(endpoint.to_text());
    if (found == sockets_.end()) return std::nullopt;
    return found->second;
}

}  // namespace app
