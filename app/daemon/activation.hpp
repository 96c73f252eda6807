// Activation: sockets that systemd listens on for us (sd_listen_fds(3)), so that nobody is refused
// while we start. Start-up only.
//
// Tested by tests/e2e/test_route_table.py.
#pragma once

#include "smtp-bridge/wire/endpoint.hpp"

#include <map>
#include <optional>
#include <string>

namespace app {

/// The sockets that we were given, by where they listen.
class Activation {
  public:
    /// Takes them over from the environment; once in a process.
    Activation();

    /// The one that listens on `endpoint`, if there is one.
    std::optional<int> socket_of(const smtp_bridge::Endpoint& endpoint) const;

  private:
    std::map<std::string, int> sockets_;  ///< by Endpoint::to_text
};

}  // namespace app
