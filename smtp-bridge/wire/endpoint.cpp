#include "smtp-bridge/wire/endpoint.hpp"

#include "base/limits.hpp"
#include "base/text.hpp"
#include "mail/domain.hpp"

#include <algorithm>
#include <memory>
#include <vector>

#include <boost/asio.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace smtp_bridge {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::string_view kUnix = "unix:";
/// sun_path of sockaddr_un, with its final NUL.
constexpr std::size_t kSocketPath = sizeof(sockaddr_un::sun_path);
constexpr int kBacklog = 128;

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};

Result<HostPort> parse_host_port(std::string_view text) {
    const auto bad = [&](std::string_view why) {
        return fail(Errc::syntax, fmt::format("\"{}\": {}", base::printable(text, 200), why));
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad("expected HOST:PORT or unix:/path");
    std::string_view host = text.substr(0, colon);
    const auto port = base::parse_number(text.substr(colon + 1), 65535);
    if (!port || *port == 0) return bad("the port has to be a number from 1 to 65535");
    const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (bracketed != (host.find(':') != std::string_view::npos))
        return bad("only an IPv6 address stands in brackets, and it has to");
    if (host.empty() || host.find_first_of(" \t[]/@") != std::string_view::npos)
        return bad("no host name or address");
    if (bracketed) {
        boost::system::error_code error;
        asio::ip::make_address_v6(std::string(host), error);
        if (error) return bad("not an IPv6 address");
    }
    if (base::is_ascii(host)) return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
    // DNS and certificates know a name in A-labels only (RFC 5890, RFC 6125 6.4.2).
    const auto domain = mail::Domain::parse(host);
    if (!domain) return bad("no host name: " + domain.error().text);
    return HostPort{domain->ascii(), static_cast<std::uint16_t>(*port)};
}

Result<std::string> parse_socket_path(std::string_view path) {
    if (!path.starts_with('/')) return fail(Errc::syntax, "unix: needs an absolute path");
    if (path.size() >= kSocketPath)
        return fail(Errc::syntax,
                    fmt::format("unix: the path is longer than {} bytes", kSocketPath - 1));
    if (path.find('\0') != std::string_view::npos)
        return fail(Errc::syntax, "unix: NUL in the path");
    return std::string(path);
}

/// Removes the socket file of a process that is gone.
Result<void> clear_stale_socket(const Endpoint& endpoint) {
    struct stat status {};
    if (::lstat(endpoint.path().c_str(), &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode))
        return fail(Errc::conflict,
                    endpoint.to_text() + ": there is a file of that name, not a socket");
    // Connecting to a Unix socket either works or fails at once.
    asio::io_context io;
    asio::local::stream_protocol::socket probe(io);
    boost::system::error_code error;
    probe.connect(asio::local::stream_protocol::endpoint(endpoint.path()), error);
    if (error != asio::error::connection_refused)
        return fail(Errc::conflict, endpoint.to_text() + ": another process is listening there");
    ::unlink(endpoint.path().c_str());
    return {};
}

using Addresses = std::vector<SocketAddress>;

/// getaddrinfo can't be cancelled; so the waiter gives up and the answer comes to nobody.
base::Task<Result<Addresses>> resolve(Endpoint endpoint, std::chrono::milliseconds limit) {
    boost::system::error_code error;
    if (endpoint.is_unix())
        co_return Addresses{asio::local::stream_protocol::endpoint(endpoint.path())};
    const auto numeric = asio::ip::make_address(endpoint.host(), error);
    if (!error) co_return Addresses{asio::ip::tcp::endpoint(numeric, endpoint.port())};

    struct Lookup {
        explicit Lookup(const asio::any_io_executor& executor)
            : resolver(executor), answer(executor) {}
        asio::ip::tcp::resolver resolver;
        base::OneShot<Result<Addresses>> answer;
    };
    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor);
    lookup->resolver.async_resolve(endpoint.host(), std::to_string(endpoint.port()),
                                   asio::ip::tcp::resolver::numeric_service,
                                   [lookup](const boost::system::error_code& failed,
                                            const asio::ip::tcp::resolver::results_type& found) {
                                       if (failed) {
                                           lookup->answer.set(fail(Errc::io, failed.message()));
                                           return;
                                       }
                                       Addresses addresses;
                                       for (const auto& entry : found)
                                           addresses.emplace_back(entry.endpoint());
                                       lookup->answer.set(std::move(addresses));
                                   });
    auto answer = co_await lookup->answer.wait(limit);
    if (!answer) co_return fail(Errc::timeout, "looking up the name took too long");
    co_return std::move(*answer);
}

}  // namespace

Result<Endpoint> Endpoint::parse_remote(std::string_view text) {
    Endpoint endpoint;
    if (text.starts_with(kUnix)) {
        auto path = parse_socket_path(text.substr(kUnix.size()));
        if (!path) return path.error();
        endpoint.path_ = std::move(*path);
        return endpoint;
    }
    auto parsed = parse_host_port(text);
    if (!parsed) return parsed.error();
    endpoint.host_ = std::move(parsed->host);
    endpoint.port_ = parsed->port;
    return endpoint;
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
    auto endpoint = parse_remote(text);
    if (!endpoint || endpoint->is_unix()) return endpoint;
    boost::system::error_code error;
    asio::ip::make_address(endpoint->host(), error);
    if (error)
        return fail(Errc::syntax, fmt::format("\"{}\": an address to listen on is numeric",
                                              base::printable(text, 200)));
    return endpoint;
}

std::string Endpoint::to_text() const {
    if (is_unix()) return std::string(kUnix) + path_;
    const bool v6 = host_.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", host_, v6 ? "]" : "", port_);
}

const char* to_text(Protocol protocol) {
    return protocol == Protocol::lmtp ? "lmtp" : "smtp";
}

Result<Target> Target::parse(std::string_view text) {
    const auto colon = text.find(':');
    auto word = text.substr(0, colon);
    const bool tls = word.ends_with("+tls");
    if (tls) word.remove_suffix(4);
    if (colon == std::string_view::npos || (word != "smtp" && word != "lmtp"))
        return fail(Errc::syntax,
                    fmt::format("\"{}\": expected smtp:HOST:PORT, lmtp:HOST:PORT, lmtp:unix:/path, "
                                "smtp+tls:HOST:PORT or lmtp+tls:HOST:PORT",
                                base::printable(text, 200)));
    auto endpoint = Endpoint::parse_remote(text.substr(colon + 1));
    if (!endpoint) return endpoint.error();
    if (tls && endpoint->is_unix())
        return fail(Errc::syntax, "a Unix socket has no name that a certificate could have");
    return Target{word == "lmtp" ? Protocol::lmtp : Protocol::smtp, std::move(*endpoint), tls};
}

std::string Target::to_text() const {
    return fmt::format("{}{}:{}", smtp_bridge::to_text(protocol), tls ? "+tls" : "",
                       endpoint.to_text());
}

bool Endpoint::is_local() const {
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(host_, error);
    return is_unix() || base::iequals(host_, "localhost") || (!error && ip.is_loopback());
}

bool Target::is_private() const {
    return tls || endpoint.is_local();
}

Result<Acceptor> listen(const asio::any_io_executor& executor, const Endpoint& endpoint,
                        unsigned mode) {
    SocketAddress address;
    if (endpoint.is_unix()) {
        if (auto cleared = clear_stale_socket(endpoint); !cleared) return cleared.error();
        address = asio::local::stream_protocol::endpoint(endpoint.path());
    } else {
        address = asio::ip::tcp::endpoint(asio::ip::make_address(endpoint.host()), endpoint.port());
    }
    Acceptor acceptor(executor);
    boost::system::error_code error;
    acceptor.open(address.protocol(), error);
    if (!error && !endpoint.is_unix()) acceptor.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(address, error);
    if (!error && endpoint.is_unix() && ::chmod(endpoint.path().c_str(), mode) != 0)
        error.assign(errno, boost::system::system_category());
    if (!error) acceptor.listen(kBacklog, error);
    if (error)
        return fail(Errc::io,
                    fmt::format("can't listen on {}: {}", endpoint.to_text(), error.message()));
    return acceptor;
}

Result<Acceptor> adopt(const asio::any_io_executor& executor, int descriptor) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0)
        return fail(Errc::io, "the socket that we were given is none");
    Acceptor acceptor(executor);
    boost::system::error_code error;
    acceptor.assign({address.ss_family, 0}, descriptor, error);
    if (error) return fail(Errc::io, "can't use the socket that we were given: " + error.message());
    return acceptor;
}

base::Task<Result<Socket>> connect(Endpoint endpoint, std::chrono::milliseconds limit) {
    const auto executor = co_await asio::this_coro::executor;
    const auto start = std::chrono::steady_clock::now();
    const auto addresses = co_await resolve(endpoint, limit);
    if (!addresses)
        co_return fail(addresses.error().code,
                       fmt::format("{}: {}", endpoint.to_text(), addresses.error().text));
    Socket socket(executor);
    const auto expire = [&socket] { socket.close(); };
    base::Deadline deadline(executor, expire);
    deadline.arm(std::chrono::duration_cast<std::chrono::milliseconds>(
        start + limit - std::chrono::steady_clock::now()));
    std::string why = "the name has no address";
    for (const auto& address : *addresses) {
        boost::system::error_code ignored;
        socket.close(ignored);
        const auto [error] = co_await socket.async_connect(address, base::use_result);
        if (deadline.expired())
            co_return fail(Errc::timeout,
                           fmt::format("{}: connecting took too long", endpoint.to_text()));
        if (!error) {
            // Commands are small, and we write what belongs together at once.
            socket.set_option(asio::ip::tcp::no_delay(true), ignored);
            deadline.disarm();
            co_return std::move(socket);
        }
        why = error.message();
    }
    co_return fail(Errc::io, fmt::format("{}: {}", endpoint.to_text(), why));
}

std::string peer_text(const SocketAddress& address) {
    const auto ip = peer_ip(address);
    return ip ? ip->to_string() : "unix";
}

std::optional<asio::ip::address> peer_ip(const SocketAddress& address) {
    asio::ip::tcp::endpoint tcp;
    if (address.protocol().family() != AF_INET && address.protocol().family() != AF_INET6)
        return std::nullopt;
    tcp.resize(address.size());
    std::copy_n(static_cast<const char*>(static_cast<const void*>(address.data())), address.size(),
                static_cast<char*>(static_cast<void*>(tcp.data())));
    const auto ip = tcp.address();
    if (ip.is_v6() && ip.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, ip.to_v6());
    return ip;
}

}  // namespace smtp_bridge
