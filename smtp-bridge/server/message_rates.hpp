// MessageRates: how many mails a minute one client may send.
//
// Pure but for the time that it is told; on the event loop, shared by all listeners. Clients on a
// Unix socket count as one.
#pragma once

#include "base/limits.hpp"

#include <chrono>
#include <map>
#include <string>

namespace smtp_bridge {

class MessageRates {
  public:
    using TimePoint = std::chrono::steady_clock::time_point;

    /// One more mail; false if the client has used up its `a_minute`. Saved up are at most those of
    /// a minute.
    bool sends(const std::string& client, std::size_t a_minute, TimePoint now);
    std::size_t size() const { return clients_.size(); }

  private:
    struct Client {
        double mails = 0;  ///< that it may still send
        TimePoint counted{};
    };

    void make_room(TimePoint now);

    std::map<std::string, Client>
        clients_;  ///< those of the last minute, and at most kClients others
};

}  // namespace smtp_bridge
