// Server: one listening socket and its SMTP or LMTP sessions.
//
// On the event loop. start() says why it can't listen; afterwards nothing fails that a client
// doesn't hear.
#pragma once

#include "base/task_group.hpp"
#include "queue/ports.hpp"
#include "smtp-bridge/server/listener_settings.hpp"
#include "smtp-bridge/server/server_session.hpp"

#include <memory>
#include <optional>
#include <set>

namespace smtp_bridge {

class Server {
  public:
    /// `router` and `intake` have to outlive stop().
    Server(asio::any_io_executor executor, ListenerSettings settings, const queue::Router& router,
           queue::Intake& intake);

    /// Errc::io or Errc::conflict, with the endpoint in the text.
    base::Result<void> start();
    /// No new clients; every session ends at its next command. Returns when the last one has ended.
    base::Task<void> stop();
    const std::string& name() const { return settings_.name; }
    /// Takes over networks, client bounds and TLS of `settings`, for what comes from now on; the
    /// rest stays.
    void reload(const ListenerSettings& settings);

  private:
    base::Task<void> accept_clients();
    void admit(Socket socket);
    std::optional<mail::Reply> turn_away(const Socket& socket, const std::string& client) const;

    asio::any_io_executor executor_;
    ListenerSettings settings_;
    const queue::Router& router_;
    queue::Intake& intake_;
    std::optional<Acceptor> acceptor_;
    std::set<std::shared_ptr<ServerSession>> sessions_;  ///< at most those of Admission::places
    base::TaskGroup tasks_;
    bool stopping_ = false;
};

}  // namespace smtp_bridge
