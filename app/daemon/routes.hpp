// Routes: what Postfix is told of the way that a domain's mail takes: the table in memory, the
// servers that answer from it, and the file that Postfix reads by itself.
//
// Event loop; the servers and the file have threads of their own.
//
// Tested by tests/e2e/test_route_table.py and tests/e2e/test_route_lookup.py.
#pragma once

#include "app/config/config.hpp"
#include "queue/peer_promise.hpp"
#include "queue/route_table.hpp"
#include "queue/sender_counts.hpp"
#include "smtp-bridge/lookup/lookup_server.hpp"
#include "smtp-bridge/lookup/route_file.hpp"

#include <memory>
#include <vector>

namespace app {

class Routes {
  public:
    /// All have to outlive it.
    Routes(const Config& config, const queue::Router& router, queue::SenderCounts& senders);

    queue::RouteTable& table() { return table_; }
    /// Begins to answer. `miss` is called on `main` for domains of which nothing is known. `lane`
    /// outlives it.
    base::Result<void> start(base::asio::any_io_executor main, queue::ClosedLane& lane,
                             std::function<void(mail::Domain)> miss);
    /// While it is closed, all mail goes by SMTP, but for what is required to go over XMPP.
    void close(bool closed) { table_.close(closed); }
    /// The router's lane policy has been replaced; `before` is the one that it had.
    void look_at_policies(const queue::LanePolicy& before);
    /// Whether mail to this domain (A-labels) has to go over XMPP may have changed.
    void look_at(const std::string& domain);
    void stop();

  private:
    void list_in_file(const std::string& domain, bool xmpp);

    const Config& config_;
    const queue::Router& router_;
    queue::SenderCounts& senders_;
    queue::RouteTable table_;
    std::unique_ptr<smtp_bridge::RouteFile> file_;
    std::vector<std::unique_ptr<smtp_bridge::LookupServer>> servers_;
};

}  // namespace app
