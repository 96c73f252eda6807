// LookupServer: answers what mail servers ask while mail waits for the answer: Postfix's route
// lookup and policy service.
//
// A dead or slow answer defers all mail of Postfix, so it runs on a thread of its own, with its own
// loop: no network, no disk. Only an answer that somebody else has (OpenAnswer) is waited for, for
// some seconds, by its client alone. start() says why it can't listen; clients that break the
// protocol are disconnected.
#pragma once

#include "base/limits.hpp"
#include "smtp-bridge/lookup/lookup.hpp"
#include "smtp-bridge/wire/endpoint.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace smtp_bridge {

struct LookupServerSettings {
    std::string name;  ///< for logs: `route-lookup`
    Endpoint endpoint;
    unsigned socket_mode = 0660;  ///< access to a Unix socket
    std::chrono::milliseconds idle_time = base::limits::kRouteIdle;
    std::optional<int> inherited{};  ///< a socket that listens already (socket activation)
};

class LookupServer {
  public:
    /// `lookup` is used on the server's thread only. `miss` is called on `main`, for a few unknown
    /// domains, and never again once stop() has been called there.
    LookupServer(LookupServerSettings settings, std::unique_ptr<Lookup> lookup,
                 asio::any_io_executor main, std::function<void(mail::Domain)> miss);
    ~LookupServer();
    LookupServer(const LookupServer&) = delete;
    LookupServer& operator=(const LookupServer&) = delete;

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
