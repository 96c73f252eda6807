// ControlServer: answers the other subcommands on a Unix socket: one JSON object a line, in and
// out.
//
// On the event loop. Requests are {"command": ..., ...}, and app/daemon/control_verbs says which;
// answers have "ok": true, or "ok": false and "error", and "not_understood": true if a value of the
// request is none. Bounded in bytes and time; a bad request is
// answered, and closed. Nothing that is asked ends the daemon. Who does not ask, or does not read
// the answer, makes room for others. There may be two: the second is for who may only complain.
//
// Tested by tests/e2e/test_control_socket.py.
#pragma once

#include "app/daemon/control_verbs.hpp"
#include "app/daemon/daemon.hpp"
#include "base/task_group.hpp"
#include "smtp-bridge/wire/endpoint.hpp"
#include "smtp-bridge/wire/places.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <boost/json.hpp>

namespace app {

/// Where it listens, and for whom.
struct ControlSocket {
    std::filesystem::path path;
    unsigned mode = 0600;  ///< the owner only
    Access access = Access::everything;
};

class ControlServer {
  public:
    /// `daemon` outlives stop().
    ControlServer(base::asio::any_io_executor executor, ControlSocket socket, Daemon& daemon);

    /// Replaces a socket file that nobody answers on. Errc::io, Errc::conflict, with the path.
    base::Result<void> start();
    base::Task<void> stop();

  private:
    struct Client;

    base::Task<void> accept_clients();
    base::Task<void> serve(std::shared_ptr<Client> client);
    base::Task<void> exchange(Client& client);
    base::Task<std::string> answer(std::string request, Asker asker);
    base::Task<boost::json::object> carry_out(boost::json::object asked, Asker asker);

    base::asio::any_io_executor executor_;
    ControlSocket socket_;
    Daemon& daemon_;
    std::optional<smtp_bridge::Acceptor> acceptor_;
    smtp_bridge::Places places_;
    std::set<std::shared_ptr<Client>> clients_;  ///< those of places_, and the last to be answered
    base::TaskGroup tasks_;
};

}  // namespace app
