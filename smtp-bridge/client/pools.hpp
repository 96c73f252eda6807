// Pools: one pool for each next hop, whoever has mail or a question for it: it has one count of our
// links, and what one finds out about it the others know.
//
// On the event loop.
//
// Tested by tests/unit/smtp-bridge/client/next_hops_test.cpp.
#pragma once

#include "smtp-bridge/client/pool.hpp"

#include <map>
#include <memory>

namespace smtp_bridge {

class Pools {
  public:
    Pools(asio::any_io_executor executor, ClientSettings client)
        : executor_(std::move(executor)), client_(std::move(client)) {}

    /// Lives as long as this.
    Pool& of(const Target& target);
    /// All of them at once (Pool::stop).
    base::Task<void> stop();

  private:
    asio::any_io_executor executor_;
    ClientSettings client_;
    std::map<Target, std::unique_ptr<Pool>> pools_;
};

}  // namespace smtp_bridge
