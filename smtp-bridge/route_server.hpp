// RouteServer: answers Postfix's question "does this address go to Packetboat?" (socketmap).
//
// A dead or slow answer defers all mail of Postfix, so it runs on a thread of its own, with its own
// loop, and reads only the RouteTable: no network, no disk, no waiting for the main loop. start()
// says why it can't listen; clients that break the protocol are disconnected.
#pragma once

#include "base/limits.hpp"
#include "queue/destination.hpp"
#include "queue/route_table.hpp"
#include "smtp-bridge/endpoint.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace smtp_bridge {

struct RouteServerSettings {
    Endpoint endpoint;
    std::string answer;  ///< for domains that take mail over XMPP: `lmtp:inet:[127.0.0.1]:2424`
    unsigned socket_mode = 0660;  ///< access to a Unix socket
    std::chrono::milliseconds idle_time = base::limits::kRouteIdle;
};

class RouteServer {
  public:
    /// `table` and `router` have to outlive stop(). `miss` is called on `main`, for a few unknown
    /// domains, and never again once stop() has been called there.
    RouteServer(RouteServerSettings settings, const queue::RouteTable& table,
                const queue::Router& router, asio::any_io_executor main,
                std::function<void(mail::Domain)> miss);
    ~RouteServer();
    RouteServer(const RouteServer&) = delete;
    RouteServer& operator=(const RouteServer&) = delete;

    /// Errc::io or Errc::conflict, with the endpoint in the text. At most once.
    base::Result<void> start();
    /// Disconnects all and joins the thread; takes a moment at most.
    void stop();

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace smtp_bridge
