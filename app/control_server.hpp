// ControlServer: answers the other subcommands on a Unix socket: one JSON object a line, in and
// out.
//
// On the event loop. Requests: {"command": "status" | "queue-list" | "queue" | "verify" | "backup"
// | "trace" | "look-up" | "routes-list" | "routes-forget" | "retire" | "resume", ...}; answers have
// "ok": true, or "ok": false and "error". Bounded in bytes and time; a bad request is answered, and
// closed.
#pragma once

#include "app/daemon.hpp"
#include "base/task_group.hpp"
#include "smtp-bridge/endpoint.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace app {

class ControlServer {
  public:
    /// `daemon` outlives stop().
    ControlServer(base::asio::any_io_executor executor, std::filesystem::path path, Daemon& daemon);

    /// Replaces a socket file that nobody answers on. Errc::io, Errc::conflict, with the path.
    base::Result<void> start();
    base::Task<void> stop();

  private:
    base::Task<void> accept_clients();
    base::Task<void> serve(std::shared_ptr<smtp_bridge::Socket> socket);
    base::Task<void> exchange(smtp_bridge::Socket& socket);
    base::Task<std::string> answer(std::string request);

    base::asio::any_io_executor executor_;
    std::filesystem::path path_;
    Daemon& daemon_;
    std::optional<smtp_bridge::Acceptor> acceptor_;
    std::set<std::shared_ptr<smtp_bridge::Socket>> clients_;  ///< few; closed at the stop
    base::TaskGroup tasks_;
};

}  // namespace app
