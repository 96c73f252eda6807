// Endpoint and Target: the addresses of sockets, TCP or Unix, as the configuration writes them; and
// how they are listened on and connected to.
//
// Values; no state. Sockets of both families are one type, so that no other file has to care.
// listen() is for start-up (it may block for a moment), connect() never blocks its loop.
#pragma once

#include "base/async.hpp"
#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace smtp_bridge {

namespace asio = boost::asio;

using Socket = asio::generic::stream_protocol::socket;
using SocketAddress = asio::generic::stream_protocol::endpoint;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

/// `127.0.0.1:2424`, `[::1]:2424` or `unix:/path`.
class Endpoint {
  public:
    /// To listen on: the host is a numeric address. Errc::syntax with a text for the administrator.
    static base::Result<Endpoint> parse(std::string_view text);
    /// To connect to: the host may be a name, too.
    static base::Result<Endpoint> parse_remote(std::string_view text);

    std::string to_text() const;
    bool is_unix() const { return !path_.empty(); }
    const std::string& path() const { return path_; }
    /// An address without brackets, or a name; in A-labels if it was internationalised.
    const std::string& host() const { return host_; }
    std::uint16_t port() const { return port_; }
    /// What goes there goes over no network: a Unix socket, a loopback address, `localhost`
    /// (RFC 6761 6.3).
    bool is_local() const;

    auto operator<=>(const Endpoint&) const = default;

  private:
    std::string path_;  ///< of a Unix socket; empty for TCP
    std::string host_;
    std::uint16_t port_ = 0;
};

enum class Protocol : std::uint8_t { smtp, lmtp };
const char* to_text(Protocol protocol);

/// A next hop: `smtp:HOST:PORT`, `lmtp:HOST:PORT`, `lmtp:unix:/path`; with `+tls` behind the
/// protocol, only by STARTTLS and with a certificate that names the host.
struct Target {
    Protocol protocol = Protocol::smtp;
    Endpoint endpoint;
    bool tls = false;

    /// Mail does not leave this host in the clear: over TLS, or not over a network at all.
    bool is_private() const;

    /// Errc::syntax with a text for the administrator.
    static base::Result<Target> parse(std::string_view text);
    std::string to_text() const;
    auto operator<=>(const Target&) const = default;
};

/// Binds and listens. A socket file that nobody answers on any more is replaced; `mode` is the
/// access to a new one (connecting takes write permission). Errc::io or Errc::conflict, the text
/// with the endpoint.
base::Result<Acceptor> listen(const asio::any_io_executor& executor, const Endpoint& endpoint,
                              unsigned mode);

/// One that listens already, given to us when we were started (socket activation). Errc::io.
base::Result<Acceptor> adopt(const asio::any_io_executor& executor, int descriptor);

/// Tries each address of the host in turn. Errc::timeout when `limit` has passed, else Errc::io.
base::Task<base::Result<Socket>> connect(Endpoint endpoint, std::chrono::milliseconds limit);

/// Who is at the other end: an IP address, or `unix`.
std::string peer_text(const SocketAddress& address);
/// The IP address (v4-mapped ones as v4), or nothing for a Unix socket.
std::optional<asio::ip::address> peer_ip(const SocketAddress& address);

}  // namespace smtp_bridge
