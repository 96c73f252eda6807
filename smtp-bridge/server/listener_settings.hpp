// ListenerSettings: what the configuration says about one SMTP or LMTP listener.
//
// Tested by tests/unit/smtp-bridge/server/server_test.cpp.
#pragma once

#include "base/limits.hpp"
#include "smtp-bridge/server/intake_budget.hpp"
#include "smtp-bridge/server/message_rates.hpp"
#include "smtp-bridge/wire/endpoint.hpp"
#include "smtp-bridge/wire/network.hpp"
#include "smtp-bridge/wire/places.hpp"
#include "smtp-bridge/wire/tls.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace queue {
class SenderCounts;
}

namespace smtp_bridge {

/// Errors in a session before it is closed with 421: who makes more does not speak SMTP.
inline constexpr std::size_t kBadCommands = 3;
/// How long a client that is within a mail may be silent when its place is needed: no mail server
/// on this host is, nor one that gets on at all.
inline constexpr auto kStalled = std::chrono::seconds(10);
/// Octets of a message (RFC 5321 4.5.3.1.7), unless the configuration says less. What is too large
/// for XMPP goes by SMTP, so it is more than any mail server's own limit; the disk's reserve is met
/// long before.
inline constexpr std::size_t kIntakeMessage = std::size_t{1} << 40;

/// What all listeners of the daemon share. On the event loop.
struct Admission {
    Places places{base::limits::kSmtpConnections, kStalled};
    IntakeBudget bytes;
    MessageRates rates;
};

struct ListenerSettings {
    std::string name;  ///< for logs
    Endpoint endpoint;
    Protocol protocol = Protocol::lmtp;
    std::vector<Network> networks;  ///< clients that may connect; a Unix socket's always may
    std::size_t max_size = kIntakeMessage;  ///< octets of a message
    std::string hostname;                   ///< of the banner
    unsigned socket_mode = 0660;            ///< access to a Unix socket
    std::chrono::milliseconds command_time =
        base::limits::kSmtpCommandTime;  ///< also for data blocks
    std::size_t bad_commands = kBadCommands;
    /// From one client at once; beyond it, the one that has been silent for longest is closed.
    std::size_t client_connections = base::limits::kClientConnections;
    /// Mails a minute from one client; nothing: kClientRate for clients on other hosts, and no
    /// bound for those on this one.
    std::optional<std::size_t> client_rate;
    std::vector<Network> trusted;  ///< clients that may say XFORWARD and XCLIENT
    TlsContext tls;                ///< nullptr: no STARTTLS
    bool requiretls = false;  ///< a mail that must not go without TLS can be taken (RFC 8689 2)
    std::optional<int> inherited;  ///< a socket that listens already (socket activation)
    /// Whether senders of ours are within their limits; it outlives the listener. nullptr: all are.
    queue::SenderCounts* senders = nullptr;
    std::shared_ptr<Admission> admission;  ///< one for all listeners; nullptr: one of its own
};

}  // namespace smtp_bridge
