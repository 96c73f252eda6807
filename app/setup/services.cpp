#include "app/setup/services.hpp"

#include "app/servers/program.hpp"
#include "app/servers/prosody_config.hpp"

#include <chrono>
#include <filesystem>
#include <thread>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace app {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kSystemctl = "/usr/bin/systemctl";
constexpr const char* kPostfix = "/usr/sbin/postfix";
constexpr seconds kServiceTime{60};  // of a restart; ejabberd takes ten seconds on a small machine
constexpr seconds kComesTrue{30};    // until what was restarted answers
constexpr milliseconds kLook{100};   // between two looks

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/// What `call` says to a new socket and the address of this port.
template <class Call>
bool succeeds(std::uint16_t port, Call call) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return false;
    const sockaddr_in address = loopback(port);
    const bool done =
        call(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return done;
}

bool says(const char* verb, const std::string& unit) {
    const auto answer = run_program({kSystemctl, "--quiet", verb, unit});
    return answer && answer->status == 0;
}

}  // namespace

bool has_systemd() {
    std::error_code error;
    return std::filesystem::exists("/run/systemd/system", error);
}

bool is_active(const std::string& unit) {
    return says("is-active", unit);
}

bool is_enabled(const std::string& unit) {
    return says("is-enabled", unit);
}

base::Result<void> systemctl(const std::vector<std::string>& words) {
    std::vector<std::string> all{kSystemctl};
    all.insert(all.end(), words.begin(), words.end());
    const auto done = output_of(all, kServiceTime);
    if (!done) return done.error();
    return {};
}

const char* unit_of(XmppServer server) {
    return server == XmppServer::prosody ? "prosody" : "ejabberd";
}

const char* title_of(XmppServer server) {
    return server == XmppServer::prosody ? "Prosody" : "ejabberd";
}

base::Result<void> restart_xmpp(const Site& site) {
    // Systemd takes a Prosody for started that ends a moment later.
    if (site.xmpp == XmppServer::prosody) {
        const auto readable = read_prosody();
        if (!readable) return readable.error();
    }
    const std::string unit = unit_of(site.xmpp);
    const auto restarted = systemctl({"restart", unit});
    if (!restarted) return restarted.error();
    const bool listens = comes_true([&] { return succeeds(site.component_port, ::connect); });
    if (listens) return {};
    return base::fail(base::Errc::timeout,
                      fmt::format("{} has been restarted, and takes no component at port {}; "
                                  "journalctl -u {} and its own log may say why",
                                  title_of(site.xmpp), site.component_port, unit));
}

base::Result<void> reload_postfix() {
    const auto checked = output_of({kPostfix, "check"}, kServiceTime);
    if (!checked) return checked.error();
    const auto runs = run_program({kPostfix, "status"});
    if (!runs) return runs.error();
    if (runs->status != 0) return {};
    const auto reloaded = output_of({kPostfix, "reload"}, kServiceTime);
    if (!reloaded) return reloaded.error();
    return {};
}

bool is_free(std::uint16_t port) {
    return succeeds(port, [](int socket, const sockaddr* address, socklen_t length) {
        const int on = 1;  // As servers do: connections that end are no obstacle.
        ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        return ::bind(socket, address, length);
    });
}

bool comes_true(const std::function<bool()>& question) {
    const auto end = std::chrono::steady_clock::now() + kComesTrue;
    while (!question()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(kLook);
    }
    return true;
}

}  // namespace app
