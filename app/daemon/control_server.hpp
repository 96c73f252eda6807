// ControlServer: answers the other subcommands on a Unix socket: one JSON object a line, in and
// out.
//
// On the event loop. Requests: {"command": "status" | "queue-list" | "queue" | "verify" | "backup"
// | "trace" | "look-up" | "routes-list" | "routes-forget" | "senders-list" | "senders-forget" |
// "retire" | "resume" | "off" | "on" |
// "promise-ours", ...}; answers have "ok": true, or "ok": false and "error".
// Bounded in bytes and time; a bad request is answered, and closed. Nothing that is asked ends the
// daemon. Who does not ask, or does not read the answer, makes room for others.
//
// Tested by tests/e2e/test_control_socket.py.
#pragma once

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

class ControlServer {
  public:
    /// `daemon` outlives stop().
    ControlServer(base::asio::any_io_executor executor, std::filesystem::path path, Daemon& daemon);

    /// Replaces a socket file that nobody answers on. Errc::io, Errc::conflict, with the path.
    base::Result<void> start();
    base::Task<void> stop();

  private:
    struct Client;

    base::Task<void> accept_clients();
    base::Task<void> serve(std::shared_ptr<Client> client);
    base::Task<void> exchange(Client& client);
    base::Task<std::string> answer(std::string request);
    base::Task<boost::json::object> carry_out(boost::json::object asked);

    base::asio::any_io_executor executor_;
    std::filesystem::path path_;
    Daemon& daemon_;
    std::optional<smtp_bridge::Acceptor> acceptor_;
    smtp_bridge::Places places_;
    std::set<std::shared_ptr<Client>> clients_;  ///< those of places_, and the last to be answered
    base::TaskGroup tasks_;
};

}  // namespace app
